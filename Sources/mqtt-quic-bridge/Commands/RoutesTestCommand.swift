import ArgumentParser
import BridgeConfig
import BridgeCore

struct RoutesTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Shows what becomes of a device's message or subscription.",
        discussion: """
            Reads the configuration of `run` and asks the code that `run` uses; it connects to nothing. Shows whom the \
            broker sees, which route decides, what the broker sees, and what comes back to the device.

            Exit codes: 0 if it goes to the broker; 1 if it does not, or if the device would be refused; 64 if an \
            argument is wrong; 78 if the configuration is not usable.
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case publish, subscribe
    }

    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("The device's client id. Default: none.", valueName: "id"))
    var clientID = ""

    @Option(help: ArgumentHelp("The device's user name. Default: none.", valueName: "name"))
    var username: String?

    @Option(
        help: ArgumentHelp(
            "The name of the listener to which the device connects. Default: the first of `listen`.", valueName: "name")
    )
    var listener: String?

    @Option(help: ArgumentHelp("The IP address from which the device connects.", valueName: "address"))
    var peer = "127.0.0.1"

    @Flag(help: "Print all routes with the device's values filled in.")
    var all = false

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "publish or subscribe.")
    var action: Action?

    @Argument(help: "The topic, or the topic filter for subscribe, as the device writes it.")
    var topic: String?

    func validate() throws {
        for (name, value) in [("--client-id", clientID), ("--username", username ?? "")] {
            guard !value.utf8.contains(0) else {
                throw ValidationError("\(name) holds U+0000, which MQTT does not allow.")
            }
            guard value.utf8.count <= Int(UInt16.max) else {
                throw ValidationError("\(name) is longer than 65535 bytes, the longest text in MQTT.")
            }
        }
        guard let action else {
            if all { return }
            throw ValidationError("Say what to test: publish or subscribe and a topic, or --all for all routes.")
        }
        guard let topic else { throw ValidationError("The topic is missing: \(action.rawValue) TOPIC.") }
        let problem =
            switch action {
            case .publish: RouteTrial.problem(publishing: topic)
            case .subscribe: RouteTrial.problem(subscribing: topic)
            }
        if let problem { throw ValidationError("\(action.rawValue) \(topic.quotedForMessage()): \(problem).") }
    }

    func run() throws {
        let loaded = try options.load(.run)
        let device = RouteTrial.Device(
            clientID: clientID, username: username, listener: try listener(in: loaded.configuration), peer: peer)
        let trial: RouteTrial
        do {
            trial = try RouteTrial(
                loaded.configuration, device, bundles: try bundles(of: loaded.configuration),
                makeClientID: ClientIDMaker.make)
        } catch let error as UnreadableBundles {
            StandardError.write("auth.bundles: \(error)\n")
            throw ExitCode.configuration
        } catch {
            StandardError.write("the device would be refused: \(error)\n")
            throw ExitCode.failure
        }
        let verdict = try verdict(of: trial)
        let report = RouteReport(
            device: device, trial: trial, action: action?.rawValue, topic: topic, verdict: verdict,
            table: all ? trial.table : nil, unrouted: loaded.configuration.unrouted)
        print(try json ? report.json() : report.text(places: loaded.routeOrigins.map { "\($0)" }))
        if let verdict, verdict.outcome != .forwarded { throw ExitCode.failure }
    }

    private func bundles(of configuration: BridgeConfiguration) throws -> LiveBundles? {
        guard configuration.auth.mode == .bundles, let folder = configuration.auth.bundlesFolder else { return nil }
        return LiveBundles(try BundleFolderCatalog.opener(folder, []).look() ?? BundleBook())
    }

    private func verdict(of trial: RouteTrial) throws -> RouteVerdict? {
        guard let action, let topic else { return nil }
        switch action {
        case .publish: return try trial.publish(topic)
        case .subscribe: return try trial.subscribe(topic)
        }
    }

    private func listener(in configuration: BridgeConfiguration) throws -> String {
        let names = configuration.listen.map(\.name)
        guard let listener else { return names.first ?? "" }
        guard names.contains(listener) else {
            throw ValidationError(
                "--listener \(listener.quotedForMessage()): there is no such listener; the names are"
                    + " \(names.joined(separator: ", ")).")
        }
        return listener
    }
}

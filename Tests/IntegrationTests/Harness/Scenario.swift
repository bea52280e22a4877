import Foundation

/// The programs of one test: a broker, the far end that speaks QUIC for it, the bridge and any clients. All of them end
/// with the test, however that ends.
struct Scenario: Sendable {
    struct Options: Sendable {
        var broker = Broker.Options()
        var front = Front.Options()
        /// What the bridge connects to, if that is not to follow from the mapping under test.
        var farEnd: FarEnd.Kind?
        /// Top-level sections of bridge.yaml besides `listen`, `uplink` and `log`.
        var configuration = ""
        /// Further lines of `uplink`. `$TLS_PORT` is the port of the broker's TLS listener.
        var uplink: [String] = []
        var listen = "127.0.0.1:0"
        /// The network namespace that the bridge runs in.
        var namespace: String?
        /// The UDP port that the bridge is configured with for the uplink; `nil` for the real one.
        var uplinkPort: Int?
        /// The far end's name or address in `uplink.host`.
        var host = "localhost"
        /// The name of a CA that certificates.py makes.
        var ca = "ca"
        /// Whether there is a relay between the bridge and the far end.
        var relayed = false
        /// Whether the bridge has an admin endpoint, on a port that ``Bridge/adminPort`` names.
        var admin = false
        /// The token that the endpoint asks for.
        var adminToken: String?
        /// Whether no other test may run meanwhile, because this one measures.
        var alone = false

        /// Whether the test itself sets this key of `uplink`.
        func names(_ key: String) -> Bool {
            uplink.contains { $0.hasPrefix(key + ":") }
        }
    }

    let folder: Folder
    let broker: Broker
    let farEnd: FarEnd
    let bridge: Bridge
    let driver: PahoDriver
    let options: Options
    private let possibleRelay: UDPRelay?
    private let processes: EventLog<ChildProcess>

    /// Starts everything, runs the test, and ends everything. If the test throws, its error contains the last output of
    /// each process.
    static func run(_ options: Options = Options(), _ body: @Sendable (Scenario) async throws -> Void) async throws {
        try await TestPrograms.run(alone: options.alone) { folder, processes in
            let scenario = try await start(options, folder, processes)
            do {
                try await body(scenario)
                await scenario.possibleRelay?.stop()
            } catch {
                await scenario.possibleRelay?.stop()
                throw error
            }
        }
    }

    private static func start(
        _ options: Options, _ folder: Folder, _ processes: EventLog<ChildProcess>
    ) async throws -> Scenario {
        let broker = try await Broker.start(in: folder, options.broker)
        await processes.append(broker.process)
        var options = options
        if let port = broker.tlsPort {
            options.uplink = options.uplink.map { $0.replacing("$TLS_PORT", with: "\(port)") }
        }
        let farEnd = try await FarEnd.start(
            in: folder, broker: broker.port, options.front, kind: options.farEnd)
        await processes.append(farEnd.process)
        let driver = try await PahoDriver.start()
        await processes.append(driver.process)
        let relay = options.relayed ? try await UDPRelay.start(to: farEnd.port, host: options.front.host) : nil
        let configuration = try await configuration(
            options, in: folder, port: options.uplinkPort ?? relay?.port ?? farEnd.port)
        let bridge = try await Bridge.start(
            in: folder, configuration: configuration, namespace: options.namespace, hasAdmin: options.admin)
        await processes.append(bridge.process)
        return Scenario(
            folder: folder, broker: broker, farEnd: farEnd, bridge: bridge, driver: driver, options: options,
            possibleRelay: relay, processes: processes)
    }

    /// Returns the bridge.yaml for an uplink to this UDP port. `$FOLDER` in the options stands for the test's folder.
    static func configuration(_ options: Options, in folder: Folder? = nil, port: Int) async throws -> String {
        let certificates = try await Certificates.make()
        let address = options.names("endpoints") ? [] : ["host: \"\(options.host)\"", "port: \(port)"]
        let uplink =
            address + ["ca: \(certificates.certificate(options.ca))"]
            + mapping(options) + identity(options) + defaults(options) + options.uplink
        return """
            listen: ["\(options.listen)"]
            uplink:
            \(uplink.map { "  \($0)" }.joined(separator: "\n"))
            log: {level: debug, format: text, repeats: all}
            \(auth(options))
            \(try admin(options, folder))
            \(options.configuration)

            """.replacing("$FOLDER", with: folder?.path ?? "")
    }

    private static func admin(_ options: Options, _ folder: Folder?) throws -> String {
        guard options.admin else { return "" }
        let file = try options.adminToken.flatMap { try folder?.write("token", $0) }
        return "admin: {listen: \"127.0.0.1:0\"\(file.map { ", token_file: \($0)" } ?? "")}"
    }

    /// The defaults that differ from the program's, because a test does not wait for a minute, counts the connections
    /// that devices make, and runs on machines that stand still for seconds.
    private static func defaults(_ options: Options) -> [String] {
        [("backoff_minimum", "500ms"), ("backoff_maximum", "10s"), ("connect_timeout", "20s"), ("warm", "0")]
            .filter { !options.names($0.0) }.map { "\($0.0): \($0.1)" }
    }

    private static func mapping(_ options: Options) -> [String] {
        options.names("mapping") ? [] : ["mapping: \(TestMapping.current.rawValue)"]
    }

    /// The identity that the broker sees in the mapping `data-stream`.
    private static func identity(_ options: Options) -> [String] {
        guard TestMapping.current == .dataStream, !options.names("identity") else {
            return []
        }
        return ["identity: {client_id: gateway}"]
    }

    /// In the mapping `data-stream` the bridge authenticates devices. It accepts all of them unless the test says
    /// otherwise.
    private static func auth(_ options: Options) -> String {
        guard TestMapping.current == .dataStream, !options.configuration.contains("auth:") else { return "" }
        return "auth: {mode: local, anonymous: true}"
    }

    /// A client that is not connected yet. The port given to `connect` decides whether it goes through the bridge or
    /// directly to the broker.
    func client(_ name: String) async -> PahoClient {
        await PahoClient(name, driver)
    }

    /// A client that is connected through the bridge.
    func device(_ name: String, _ fields: [String: JSONValue] = [:]) async throws -> PahoClient {
        let client = await client(name)
        try await client.connect(port: bridge.port, fields)
        return client
    }

    /// An MQTT 5.0 client that is connected directly to the broker and has subscribed to these filters.
    func observer(_ filters: String...) async throws -> PahoClient {
        let client = await client("observer")
        try await client.connect(port: broker.port, ["version": "5.0"])
        for filter in filters {
            try await client.subscribe(filter)
        }
        return client
    }

    /// Waits until the broker's side has forgotten this device's connection.
    func gone(_ clientID: String) async throws {
        switch TestMapping.current {
        case .connection:
            _ = try await front.closed(clientID)
        case .mux:
            _ = try await broker.process.errors.first("the end of \(clientID) in Mosquitto's log") {
                $0.contains("lient \(clientID)") && ($0.contains("disconnect") || $0.contains("closed"))
            }
        case .dataStream:
            // The broker does not know the device.
            _ = try await bridge.process.errors.first("the end of \(clientID) in the bridge's log") {
                $0.contains("session ended") && $0.contains("client_id=\(clientID) ")
            }
        }
    }

    /// The EMQX-like front; throws if the mapping under test uses another far end.
    var front: Front {
        get throws {
            guard let front = farEnd.front else {
                throw HarnessError("this mapping has no front: mark the test with .mapping(...)")
            }
            return front
        }
    }

    /// The relay between the bridge and the far end; throws if the options do not ask for one.
    var relay: UDPRelay {
        get throws {
            guard let possibleRelay else {
                throw HarnessError("this scenario has no relay: set relayed in its options")
            }
            return possibleRelay
        }
    }

    /// Has a process that the test itself started ended with the others.
    func own(_ process: ChildProcess) async {
        await processes.append(process)
    }
}

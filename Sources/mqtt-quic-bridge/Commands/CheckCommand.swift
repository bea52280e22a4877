import ArgumentParser
import Bridge
import BridgeConfig
import BridgeCore
import Logging

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks the configuration and shows the one in force.",
        discussion: """
            Reads all that `run` would read, and sees whether it could listen. Exits with 0 where `run` would start, with 78 \
            where the configuration or a file that it names is not usable, with 1 where an address of `listen` is not to \
            be had (one that is in use is no more than a warning), and with 69 where --connect could not reach the broker, at \
            one endpoint or more or by the fallback. Passwords are not shown. With --serve, the configuration of `serve` is \
            meant.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Also connect to each endpoint and to the fallback, without MQTT, and report what that told.")
    var connect = false

    @Flag(help: "Check what `serve` needs instead of what `run` does.")
    var serve = false

    func validate() throws {
        if serve, connect { throw ValidationError("--connect is for `run`: `serve` makes no QUIC connections.") }
    }

    func run() async throws {
        if serve { return try checkServe() }
        let loaded = try options.load()
        print(EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins), terminator: "")
        try report(loaded) { try BridgeService.check($0) }
        if connect { try await connect(loaded.configuration) }
    }

    /// What the loader has to say, and then whoever reads the files.
    private func report<Configuration>(
        _ loaded: Loaded<Configuration>, _ check: (Configuration) throws -> CheckResult
    ) throws {
        for note in loaded.notes { StandardError.write("note: \(note)\n") }
        for warning in loaded.warnings { StandardError.write("warning: \(warning)\n") }
        do {
            let result = try check(loaded.configuration)
            for warning in result.warnings { StandardError.write("warning: \(warning)\n") }
            for note in result.notes { StandardError.write("note: \(note)\n") }
        } catch let error as ListenError {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        } catch {
            StandardError.write("\(loaded.place(error))\n")
            throw ExitCode.configuration
        }
    }

    private func checkServe() throws {
        let loaded = try options.loadServe()
        print(EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins), terminator: "")
        try report(loaded) { try ServeService.check($0) }
    }

    private func connect(_ configuration: BridgeConfiguration) async throws {
        BridgeLogHandler.bootstrap(LogConfiguration(level: .warning, format: configuration.log.format))
        var isReached = true
        for endpoint in configuration.uplink.endpoints {
            var uplink = configuration.uplink
            uplink.endpoints = [endpoint]
            do {
                print("\n" + (try await ConnectCheck.run(uplink, logger: Logger(label: "check"))))
            } catch {
                StandardError.write("\(endpoint.host) port \(endpoint.port): \(error)\n")
                isReached = false
            }
        }
        guard await reachesFallback(configuration), isReached else { throw ExitCode.unavailable }
    }

    /// True where there is none.
    private func reachesFallback(_ configuration: BridgeConfiguration) async -> Bool {
        guard let fallback = configuration.uplink.fallback else { return true }
        do {
            if let duration = try await FallbackProbe.run(configuration) {
                print("\n" + ConnectCheck.render(fallback, duration))
            }
            return true
        } catch {
            StandardError.write("fallback \(fallback.host) port \(fallback.port): \(error)\n")
            return false
        }
    }
}

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
            Exits with 0 where the configuration is usable, with 78 where it is not, and with 69 where --connect could \
            not reach the broker, at one endpoint or more or by the fallback. Passwords are not shown. With --serve, the \
            configuration of `serve` is meant, and its certificate and key are read.
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
        for warning in loaded.warnings { StandardError.write("warning: \(warning)\n") }
        if connect { try await connect(loaded.configuration) }
    }

    private func checkServe() throws {
        let loaded = try options.loadServe()
        print(EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins), terminator: "")
        for warning in loaded.warnings { StandardError.write("warning: \(warning)\n") }
        do {
            try ServeService.check(loaded.configuration)
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.configuration
        }
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

import ArgumentParser
import Bridge
import BridgeConfig
import BridgeCore
import Logging

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks the configuration and shows the one that is in force.",
        discussion: """
            Reads everything that `run` would read, and tests whether `run` could listen. Exit codes: 0 if `run` would \
            start; 78 if the configuration or a file that it names is not usable; 1 if an address of `listen` is not \
            available (an address that is in use is only a warning); 69 if --connect could not reach the broker at every \
            endpoint and by the fallback. Passwords are not shown. With --serve, all of this is about `serve`. With \
            --diff or --diff-with, shows what a reload would do, key by key; 1 if the running program that --diff asks \
            does not answer.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Also connect to each endpoint and to the fallback, without MQTT, and report the result.")
    var connect = false

    @Flag(help: "Check the configuration of `serve` instead of the configuration of `run`.")
    var serve = false

    @Flag(
        help:
            "Show what a reload would do to the running program, which is asked at admin.listen, instead of the configuration."
    )
    var diff = false

    @Option(
        help: ArgumentHelp(
            "Show what a reload would do to a program that runs with this older file, instead of the configuration.",
            valueName: "file"))
    var diffWith: String?

    func validate() throws {
        if diff, diffWith != nil { throw ValidationError("--diff and --diff-with exclude each other.") }
        if serve, connect { throw ValidationError("--connect is for `run`: `serve` makes no QUIC connections.") }
    }

    func run() async throws {
        if serve {
            let loaded = try options.load(.serve)
            try await show(loaded, .serve) {
                EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins)
            }
            return try report(loaded) { try ServeService.check($0) }
        }
        let loaded = try options.load(.run)
        try await show(loaded, .run) { EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins) }
        try report(loaded) { configuration in
            var result = try BridgeService.check(configuration)
            if let bundles = try BundleCheck.result(of: configuration) {
                result.warnings += bundles.warnings
                result.notes += bundles.notes
            }
            return result
        }
        if connect { try await connect(loaded.configuration) }
    }

    /// Prints the configuration, or what a reload would change.
    private func show<Configuration: Reloadable & AdminConfigured>(
        _ loaded: Loaded<Configuration>, _ subject: ConfigurationLoader.Subject<Configuration>,
        _ configuration: () -> String
    ) async throws {
        if diff {
            let program = RunningProgram(loaded.configuration.admin)
            let report = try await program.reload(isDryRun: true, isAllOrNothing: false)
            print(ConfigurationDiff.render(report), terminator: "")
            guard report.ok else { throw ExitCode.configuration }
            return
        }
        guard let diffWith else { return print(configuration(), terminator: "") }
        let report = try ConfigurationDiff.report(of: loaded.configuration, since: diffWith, subject, options)
        print(ConfigurationDiff.render(report), terminator: "")
    }

    /// Prints what the loader noted, then checks the files that the configuration names and prints the result.
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

    private func connect(_ configuration: BridgeConfiguration) async throws {
        BridgeLogHandler.bootstrap(
            LogOutput(LogConfiguration(level: .warning, format: configuration.log.format)) { StandardError.write($0) })
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

    /// Whether the fallback answers; true if there is none.
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

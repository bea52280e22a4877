import ArgumentParser
import BridgeConfig
import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where a command's configuration comes from, at the start and at each reload: the file, `.env`, the environment and the
/// options of the command line.
struct ConfigurationSource<Configuration: Reloadable>: Sendable {
    private let subject: ConfigurationLoader.Subject<Configuration>
    private let options: ConfigurationOptions
    private let logLevel: LogConfiguration.Level?
    /// The configuration file at the start; `nil` if there was none.
    private let file: String?
    private let environment: [String: String]
    /// Raises the limits of the process as far as the configuration needs. Returns a warning if that was not possible.
    let raiseLimits: @Sendable (Configuration) -> String?

    init(
        _ subject: ConfigurationLoader.Subject<Configuration>, _ options: ConfigurationOptions, _ log: LogOptions,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        raiseLimits: @escaping @Sendable (Configuration) -> String?
    ) {
        self.subject = subject
        self.options = options
        self.logLevel = log.logLevel
        self.file = options.file
        self.environment = environment
        self.raiseLimits = raiseLimits
    }

    /// For the start: if the configuration has errors, prints all of them and throws ``ExitCode/configuration``.
    func load() throws -> Loaded<Configuration> {
        completed(try options.load(subject))
    }

    /// For a reload. A configuration file that is gone since the start is an error.
    func read() throws(ConfigurationErrors) -> Loaded<Configuration> {
        completed(try options.read(subject, file: file, environment: environment))
    }

    private func completed(_ loaded: Loaded<Configuration>) -> Loaded<Configuration> {
        var loaded = loaded
        if let logLevel { loaded.configuration.log.level = logLevel }
        return loaded
    }
}

import ArgumentParser
import BridgeConfig
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The options that say where the configuration is.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The configuration file. Default: bridge.yaml in this folder if it exists, otherwise only the environment.",
            valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A file of KEY=VALUE lines. Default: .env beside the configuration file.", valueName: "file"))
    var envFile: String?

    static let defaultFile = "bridge.yaml"

    /// Loads the configuration; if it has errors, prints all of them and throws ``ExitCode/configuration``.
    func load<Configuration>(
        _ subject: ConfigurationLoader.Subject<Configuration>
    ) throws -> Loaded<Configuration> {
        do {
            return try read(subject)
        } catch {
            throw shown(error)
        }
    }

    /// Reads the configuration. A file that was there once has to be there again.
    ///
    /// - Parameter file: The configuration file, if that is not to be looked for.
    func read<Configuration>(
        _ subject: ConfigurationLoader.Subject<Configuration>, file: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationErrors) -> Loaded<Configuration> {
        try ConfigurationLoader.load(
            subject, file: file ?? self.file, envFile: envFile, environment: environment, cores: System.coreCount)
    }

    var file: String? {
        config ?? (FileManager.default.fileExists(atPath: Self.defaultFile) ? Self.defaultFile : nil)
    }

    private func shown(_ errors: ConfigurationErrors) -> ExitCode {
        StandardError.write("\(errors)\n\(summary(of: errors, file: file))\n")
        return ExitCode.configuration
    }

    private func summary(of errors: ConfigurationErrors, file: String?) -> String {
        let count = errors.all.count == 1 ? "1 error" : "\(errors.all.count) errors"
        guard file == nil else { return "\(count) in the configuration" }
        return
            "\(count); there is no \(Self.defaultFile) in this folder and no --config, so only the environment was read"
    }
}

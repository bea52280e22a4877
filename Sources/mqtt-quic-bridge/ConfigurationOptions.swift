import ArgumentParser
import BridgeConfig
import Foundation
import NIOCore

/// Where the configuration is.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The configuration file. Without it: bridge.yaml in this folder, or the environment alone.",
            valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A file of KEY=VALUE lines. Without it: .env beside the configuration file.", valueName: "file"))
    var envFile: String?

    static let defaultFile = "bridge.yaml"

    /// Shows all errors and ends with `ExitCode.configuration` where there are any.
    func load() throws -> LoadedConfiguration {
        do {
            return try ConfigurationLoader.load(
                file: file, envFile: envFile, environment: ProcessInfo.processInfo.environment, cores: System.coreCount)
        } catch {
            throw shown(error)
        }
    }

    /// The same for `serve`.
    func loadServe() throws -> LoadedServeConfiguration {
        do {
            return try ConfigurationLoader.loadServe(
                file: file, envFile: envFile, environment: ProcessInfo.processInfo.environment, cores: System.coreCount)
        } catch {
            throw shown(error)
        }
    }

    private var file: String? {
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

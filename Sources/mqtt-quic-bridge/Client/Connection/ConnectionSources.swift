import BridgeConfig

/// Everything besides the command line that says how to connect.
struct ConnectionSources: Equatable, Sendable {
    /// From `--config`.
    var bridge: BridgeFile?
    /// The environment, and then `.env`: the first that has a value wins.
    var devices: [DeviceSettings] = []
    /// What `--username-file` and `--pw-file` contain.
    var usernameInFile: String?
    var passwordInFile: String?
    /// For a person, about the sources themselves.
    var warnings: [String] = []
}

extension ConnectionSources {
    /// Reads the files and the environment that the options ask for.
    ///
    /// - Throws: ``UsageError`` with one line per error.
    static func read(
        _ broker: BrokerOptions, _ trust: TrustOptions, environment: [String: String]
    ) throws(UsageError) -> ConnectionSources {
        var sources = ConnectionSources()
        do {
            let process = try DeviceSettings.environment(environment)
            let file = try DeviceSettings.dotEnv(
                at: trust.certificates.envFile ?? ".env", isOptional: trust.certificates.envFile == nil)
            sources.devices = [process.settings, file.settings]
            sources.warnings = process.warnings + file.warnings
            if let path = trust.config {
                let loaded = try ConfigurationLoader.load(
                    .run, file: path, envFile: trust.certificates.envFile, environment: environment, cores: 1)
                sources.bridge = BridgeFile(loaded.configuration.uplink)
            }
        } catch {
            throw UsageError("\(error)")
        }
        sources.usernameInFile = try line(of: broker.credentials.usernameFile, "--username-file", &sources.warnings)
        sources.passwordInFile = try line(of: broker.credentials.passwordFile, "--pw-file", &sources.warnings)
        return sources
    }

    private static func line(
        of path: String?, _ option: String, _ warnings: inout [String]
    ) throws(UsageError) -> String? {
        guard let path else { return nil }
        do {
            let line = try FirstLine.read(path)
            if option == "--pw-file", let warning = line.warning(at: path) { warnings.append(warning) }
            return line.text
        } catch {
            throw UsageError("\(option): \(path): \(error)")
        }
    }
}

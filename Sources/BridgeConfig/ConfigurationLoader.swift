import BridgeCore
import Foundation

/// Makes a configuration from a file, a `.env` file and the environment.
///
/// Of several values for one key the highest in this list wins: `BRIDGE_` names in the environment, `BRIDGE_` names in
/// `.env`, `MQTT_` names (TESAIoT) in the environment, `MQTT_` names in `.env`, the file, the default. Relative paths
/// start at the folder of the file that holds them, and in the environment at the working directory.
package enum ConfigurationLoader {
    /// - Parameters:
    ///   - file: `nil` where everything comes from the environment.
    ///   - envFile: Must exist where it is given. `nil` means `.env` beside `file`, if there is one.
    ///   - cores: What `threads: auto` stands for.
    /// - Throws: everything that is wrong, at once.
    package static func load(
        file: String?, envFile: String? = nil, environment: [String: String],
        cores: Int = ProcessInfo.processInfo.activeProcessorCount
    ) throws(ConfigurationErrors) -> LoadedConfiguration {
        let diagnostics = Diagnostics()
        let input = try input(file: file, envFile: envFile, environment: environment, diagnostics)
        return try load(input, cores: cores, diagnostics)
    }

    /// The same with texts instead of files.
    /// - Parameters:
    ///   - name: Of the configuration file, for messages.
    ///   - folder: Where relative paths of both texts start.
    package static func load(
        text: String, name: String = "bridge.yaml", folder: String = "", dotEnv: String? = nil,
        environment: [String: String] = [:], cores: Int = 1
    ) throws(ConfigurationErrors) -> LoadedConfiguration {
        let input = input(text: text, name: name, folder: folder, dotEnv: dotEnv, environment: environment)
        return try load(input, cores: cores, Diagnostics())
    }

    private static func load(
        _ input: Input, cores: Int, _ diagnostics: Diagnostics
    ) throws(ConfigurationErrors) -> LoadedConfiguration {
        var (settings, dotEnv) = try settings(of: input, deviceNames: true, diagnostics)
        EndpointPrecedence(diagnostics: diagnostics).apply(to: &settings)
        warnOfExposure(input, settings, dotEnv, diagnostics)
        let reader = ConfigurationReader(settings: settings, diagnostics: diagnostics, cores: cores)
        return LoadedConfiguration(try reader.configuration(), settings, diagnostics)
    }
}

// MARK: - Serve

extension ConfigurationLoader {
    /// Makes the configuration of `serve`: from the sections `serve` and `log`, and `threads`. Other keys have to exist,
    /// and their values are not looked at. The `MQTT_` names are those of a device, and mean nothing here.
    ///
    /// Parameters and errors are those of `load`.
    package static func loadServe(
        file: String?, envFile: String? = nil, environment: [String: String],
        cores: Int = ProcessInfo.processInfo.activeProcessorCount
    ) throws(ConfigurationErrors) -> LoadedServeConfiguration {
        let diagnostics = Diagnostics()
        let input = try input(file: file, envFile: envFile, environment: environment, diagnostics)
        return try loadServe(input, cores: cores, diagnostics)
    }

    /// The same with texts instead of files.
    package static func loadServe(
        text: String, name: String = "bridge.yaml", folder: String = "", dotEnv: String? = nil,
        environment: [String: String] = [:], cores: Int = 1
    ) throws(ConfigurationErrors) -> LoadedServeConfiguration {
        let input = input(text: text, name: name, folder: folder, dotEnv: dotEnv, environment: environment)
        return try loadServe(input, cores: cores, Diagnostics())
    }

    private static func loadServe(
        _ input: Input, cores: Int, _ diagnostics: Diagnostics
    ) throws(ConfigurationErrors) -> LoadedServeConfiguration {
        let (settings, _) = try settings(of: input, deviceNames: false, diagnostics)
        let reader = ConfigurationReader(settings: settings, diagnostics: diagnostics, cores: cores)
        return LoadedServeConfiguration(try reader.serveConfiguration(), settings, diagnostics)
    }
}

// MARK: - Input

extension ConfigurationLoader {
    private struct TextFile {
        var text: String
        var name: String
        var folder: String
        var isReadableByOthers: Bool
    }

    private struct Input {
        var document: TextFile?
        var dotEnv: TextFile?
        var environment: [String: String]
    }

    private static func input(
        file: String?, envFile: String?, environment: [String: String], _ diagnostics: Diagnostics
    ) throws(ConfigurationErrors) -> Input {
        let input = Input(
            document: file.flatMap { document(at: $0, diagnostics) },
            dotEnv: dotEnv(at: envFile, besides: file, diagnostics),
            environment: environment)
        // Without its text there is nothing sensible to say about the values.
        if file != nil, input.document == nil { try diagnostics.throwIfAny() }
        return input
    }

    private static func input(
        text: String, name: String, folder: String, dotEnv: String?, environment: [String: String]
    ) -> Input {
        Input(
            document: TextFile(text: text, name: name, folder: folder, isReadableByOthers: false),
            dotEnv: dotEnv.map { TextFile(text: $0, name: ".env", folder: folder, isReadableByOthers: false) },
            environment: environment)
    }
}

// MARK: - Steps

extension ConfigurationLoader {
    /// What the file says, and over it `.env` and the environment.
    private static func settings(
        of input: Input, deviceNames: Bool, _ diagnostics: Diagnostics
    ) throws(ConfigurationErrors) -> (Settings, DotEnv?) {
        var settings = try settings(of: input.document, diagnostics)
        let dotEnv = input.dotEnv.map { DotEnv($0.text, name: $0.name, diagnostics: diagnostics) }
        var overrides = Overrides(
            diagnostics: diagnostics, dotEnv: dotEnv, dotEnvName: input.dotEnv?.name ?? "",
            dotEnvFolder: input.dotEnv?.folder ?? "", environment: input.environment)
        overrides.apply(to: &settings, deviceNames: deviceNames)
        return (settings, dotEnv)
    }

    /// A text that is no YAML ends here: complaining of the keys it does not have would only mislead.
    private static func settings(
        of document: TextFile?, _ diagnostics: Diagnostics
    ) throws(ConfigurationErrors) -> Settings {
        var settings = Settings()
        settings.name = "configuration"
        guard let document else { return settings }
        settings.name = document.name
        settings.folder = document.folder
        switch YAMLDocument.parse(document.text, name: document.name, diagnostics: diagnostics) {
        case .root(let root) where !root.isNull:
            return SettingsReader.read(root, into: settings, diagnostics: diagnostics)
        case .root, .empty:
            let message = "is empty; bridge.yaml.example is a complete configuration to start from"
            diagnostics.error(Origin(.nowhere(name: document.name)), nil, message)
        case .invalid:
            break
        }
        try diagnostics.throwIfAny()
        return settings
    }

    private static func document(at path: String, _ diagnostics: Diagnostics) -> TextFile? {
        do {
            let (text, isReadableByOthers) = try FileText.readText(path)
            let folder = PathResolver.folder(of: path)
            return TextFile(text: text, name: path, folder: folder, isReadableByOthers: isReadableByOthers)
        } catch {
            let advice =
                error.isMissing ? "; copy bridge.yaml.example to begin with, or name the file with --config" : ""
            diagnostics.error(Origin(.nowhere(name: path)), nil, error.message + advice)
            return nil
        }
    }

    private static func dotEnv(at given: String?, besides file: String?, _ diagnostics: Diagnostics) -> TextFile? {
        let folder = file.map { PathResolver.folder(of: $0) } ?? ""
        let path = given ?? (folder.isEmpty ? ".env" : folder == "/" ? "/.env" : "\(folder)/.env")
        do {
            let (text, isReadableByOthers) = try FileText.readText(path)
            let folder = PathResolver.folder(of: path)
            return TextFile(text: text, name: path, folder: folder, isReadableByOthers: isReadableByOthers)
        } catch {
            // The one beside the configuration is optional.
            if given != nil || !error.isMissing {
                diagnostics.error(Origin(.nowhere(name: path)), nil, error.message)
            }
            return nil
        }
    }

    private static func warnOfExposure(
        _ input: Input, _ settings: Settings, _ dotEnv: DotEnv?, _ diagnostics: Diagnostics
    ) {
        let message = "holds a password and can be read by other users; chmod 600 it"
        let hasPassword = settings.fileHoldsPassword
        if let document = input.document, document.isReadableByOthers, hasPassword {
            diagnostics.warning(Origin(.nowhere(name: document.name)), nil, "\(message), or use password_file")
        }
        let names = ["MQTT_PASSWORD"] + Key.secrets.map(\.variable)
        let entries = dotEnv?.entries ?? []
        if let file = input.dotEnv, file.isReadableByOthers,
            entries.contains(where: { names.contains($0.name) && !$0.value.isEmpty })
        {
            diagnostics.warning(Origin(.nowhere(name: file.name)), nil, message)
        }
    }
}

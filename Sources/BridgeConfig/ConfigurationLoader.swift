import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Makes a configuration from a file, a `.env` file and the environment.
///
/// If a key has several values, the first of these sources that has one wins: `BRIDGE_` names in the environment,
/// `BRIDGE_` names in `.env`, `MQTT_` names (TESAIoT) in the environment, `MQTT_` names in `.env`, the file, the default.
/// A relative path starts at the folder of the file it is written in; in the environment, at the working directory.
package enum ConfigurationLoader {
    /// Loads from files.
    ///
    /// - Parameters:
    ///   - subject: `.run` or `.serve`.
    ///   - file: Path of the configuration file; `nil` if everything comes from the environment.
    ///   - envFile: A `.env` file that must exist; `nil` means the `.env` beside `file`, if there is one.
    ///   - cores: What `threads: auto` stands for.
    /// - Throws: Every error in the configuration, at once.
    package static func load<Configuration>(
        _ subject: Subject<Configuration>, file: String?, envFile: String? = nil, environment: [String: String],
        cores: Int = ProcessInfo.processInfo.activeProcessorCount
    ) throws(ConfigurationErrors) -> Loaded<Configuration> {
        let diagnostics = Diagnostics()
        let input = try input(file: file, envFile: envFile, environment: environment, diagnostics)
        return try load(subject, input, cores: cores, diagnostics)
    }

    /// Loads from texts instead of files.
    ///
    /// - Parameters:
    ///   - name: Name of the configuration file, for messages.
    ///   - folder: Where relative paths in both texts start.
    package static func load<Configuration>(
        _ subject: Subject<Configuration>, text: String, name: String = "bridge.yaml", folder: String = "",
        dotEnv: String? = nil, environment: [String: String] = [:], cores: Int = 1
    ) throws(ConfigurationErrors) -> Loaded<Configuration> {
        let input = input(text: text, name: name, folder: folder, dotEnv: dotEnv, environment: environment)
        return try load(subject, input, cores: cores, Diagnostics())
    }

    private static func load<Configuration>(
        _ subject: Subject<Configuration>, _ input: Input, cores: Int, _ diagnostics: Diagnostics
    ) throws(ConfigurationErrors) -> Loaded<Configuration> {
        var (settings, dotEnv) = try settings(of: input, deviceNames: subject.hasUplink, diagnostics)
        if subject.hasUplink {
            EndpointPrecedence(diagnostics: diagnostics).apply(to: &settings)
            ProfileDefaults(settings)?.apply(to: &settings)
            warnOfExposure(input, settings, dotEnv, diagnostics)
        }
        let reader = ConfigurationReader(settings: settings, diagnostics: diagnostics, cores: cores)
        return Loaded(try subject.read(reader), settings, diagnostics)
    }
}

// MARK: - Subject

extension ConfigurationLoader {
    /// The command that a configuration is for.
    package struct Subject<Configuration: Sendable>: Sendable {
        /// Whether the command connects to a broker over QUIC: only then do `uplink`, its passwords and the `MQTT_` names
        /// of a device mean anything.
        fileprivate let hasUplink: Bool
        fileprivate let read: @Sendable (ConfigurationReader) throws(ConfigurationErrors) -> Configuration
    }
}

extension ConfigurationLoader.Subject where Configuration == BridgeConfiguration {
    /// `run`: everything but the section `serve`.
    package static var run: Self {
        Self(hasUplink: true) { reader throws(ConfigurationErrors) in try reader.configuration() }
    }
}

extension ConfigurationLoader.Subject where Configuration == ServeConfiguration {
    /// `serve`: the sections `serve`, `admin` and `log`, `threads` and `gather_delay`. Other keys have to exist, but their
    /// values are not read.
    package static var serve: Self {
        Self(hasUplink: false) { reader throws(ConfigurationErrors) in try reader.serveConfiguration() }
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
        // Without the file's text, errors about its values would only mislead.
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
    /// The file's settings, overridden by `.env` and the environment.
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

    /// Throws if the text is not YAML: errors about missing keys would only mislead then.
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
            // The `.env` beside the configuration file is optional.
            if given != nil || !error.isMissing {
                diagnostics.error(Origin(.nowhere(name: path)), nil, error.message)
            }
            return nil
        }
    }

    private static func warnOfExposure(
        _ input: Input, _ settings: Settings, _ dotEnv: DotEnv?, _ diagnostics: Diagnostics
    ) {
        let message = "contains a password and can be read by other users; chmod 600 it"
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

/// What the `MQTT_` names of one source (a `.env` file or the environment) say about a broker and about how one device
/// connects to it.
package struct DeviceSettings: Sendable, Equatable {
    /// Where the settings come from, for messages: `.env`, or `the environment`.
    package var source: String
    package var host: String?
    /// 1 to 65535.
    package var port: Int?
    /// The path of a PEM file; it can be opened as it is.
    package var caFile: String?
    package var clientID: String?
    package var username: String?
    package var password: String?
    /// In seconds, 0 to 65535.
    package var keepAlive: Int?
    package var cleanSession: Bool?
    package var connectTimeout: Duration?

    package init(source: String) {
        self.source = source
    }
}

extension DeviceSettings {
    /// Settings and what the reader noted about them.
    package struct Result: Sendable, Equatable {
        package var settings: DeviceSettings
        package var warnings: [String]
    }

    /// Reads the `MQTT_` names of the environment. Empty variables count as not set, and those that Kubernetes sets for a
    /// service named `mqtt` are left out.
    ///
    /// - Throws: Every error at once, each with the variable's name.
    package static func environment(_ environment: [String: String]) throws(ConfigurationErrors) -> Result {
        let diagnostics = Diagnostics()
        let overrides = Overrides(
            diagnostics: diagnostics, dotEnv: nil, dotEnvName: "", dotEnvFolder: "", environment: environment)
        return try read(overrides, source: "the environment")
    }

    /// Reads the `MQTT_` names of a `.env` file. Relative paths start at its folder.
    ///
    /// - Parameter isOptional: Whether a file that is missing counts as one without names.
    /// - Throws: Every error at once, each with its line. A value is never quoted if it may be a secret.
    package static func dotEnv(at path: String, isOptional: Bool) throws(ConfigurationErrors) -> Result {
        let diagnostics = Diagnostics()
        do {
            let (text, isReadableByOthers) = try FileText.readText(path)
            let result = try dotEnv(text, name: path, folder: PathResolver.folder(of: path))
            guard isReadableByOthers, result.settings.password != nil else { return result }
            let warning = "\(path): contains a password and can be read by other users; chmod 600 it"
            return Result(settings: result.settings, warnings: result.warnings + [warning])
        } catch let problem as FileText.Problem {
            guard isOptional, problem.isMissing else {
                throw ConfigurationErrors([
                    ConfigurationError(origin: Origin(.nowhere(name: path)), message: problem.message)
                ])
            }
            return Result(settings: DeviceSettings(source: path), warnings: diagnostics.warnings)
        } catch let errors as ConfigurationErrors {
            throw errors
        } catch {
            throw ConfigurationErrors([ConfigurationError(origin: Origin(.nowhere(name: path)), message: "\(error)")])
        }
    }

    /// Reads the text of a `.env` file.
    ///
    /// - Parameter folder: Where relative paths start.
    package static func dotEnv(_ text: String, name: String, folder: String) throws(ConfigurationErrors) -> Result {
        let diagnostics = Diagnostics()
        let overrides = Overrides(
            diagnostics: diagnostics, dotEnv: DotEnv(text, name: name, diagnostics: diagnostics), dotEnvName: name,
            dotEnvFolder: folder, environment: [:])
        return try read(overrides, source: name)
    }

    private static func read(_ overrides: Overrides, source: String) throws(ConfigurationErrors) -> Result {
        var overrides = overrides
        overrides.leaveOutServices(["MQTT_"])
        overrides.reportRepetitions()
        let reader = DeviceSettingsReader(names: DeviceNames(overrides: overrides))
        let settings = reader.settings(source: source)
        try overrides.diagnostics.throwIfAny()
        return Result(settings: settings, warnings: overrides.diagnostics.warnings)
    }
}

/// Reads the values of one source.
private struct DeviceSettingsReader {
    let names: DeviceNames
    private let found: [DeviceNames.Name: Setting]

    private var diagnostics: Diagnostics { names.diagnostics }

    init(names: DeviceNames) {
        self.names = names
        var found: [DeviceNames.Name: Setting] = [:]
        for (variable, setting) in names.variables() {
            if let name = DeviceNames.Name(rawValue: variable) { found[name] = setting }
        }
        self.found = found
    }

    func settings(source: String) -> DeviceSettings {
        names.checkTransport(found)
        var settings = DeviceSettings(source: source)
        settings.host = text(.host).flatMap { host in
            checked(.host, HostValue.problem(with: host)) ? host : nil
        }
        settings.port = number(.port, 1...65_535)
        settings.caFile = found[.caCertificate].map { PathResolver.resolve($0.text, in: $0.folder) }
        settings.clientID = text(.clientID)
        settings.username = text(.username)
        settings.password = text(.password)
        settings.keepAlive = number(.keepAlive, 0...65_535)
        settings.cleanSession = flag(.cleanSession)
        settings.connectTimeout = found[.connectTimeout].flatMap { setting in
            let timeout = DurationValue.parse(setting.text)
            let problem = "is not a duration of at least 1s, such as 10s"
            return checked(.connectTimeout, timeout.map { $0 >= .seconds(1) } == true ? nil : problem) ? timeout : nil
        }
        return settings
    }

    /// A text for MQTT that is not a placeholder.
    private func text(_ name: DeviceNames.Name) -> String? {
        guard let text = found[name]?.text else { return nil }
        let placeholder =
            TextValue.isPlaceholder(text)
            ? "is still the placeholder in angle brackets; put the real value there" : nil
        return checked(name, placeholder ?? TextValue.problem(with: text)) ? text : nil
    }

    private func number(_ name: DeviceNames.Name, _ range: ClosedRange<Int>) -> Int? {
        guard let text = found[name]?.text else { return nil }
        let value = Int(text).flatMap { range.contains($0) ? $0 : nil }
        let problem = "is not a number from \(range.lowerBound) to \(range.upperBound)"
        return checked(name, value == nil ? problem : nil) ? value : nil
    }

    private func flag(_ name: DeviceNames.Name) -> Bool? {
        guard let text = found[name]?.text.lowercased() else { return nil }
        if ["true", "1", "yes", "on"].contains(text) { return true }
        if ["false", "0", "no", "off"].contains(text) { return false }
        _ = checked(name, "is neither true nor false")
        return nil
    }

    /// Whether there is no problem; reports it otherwise.
    private func checked(_ name: DeviceNames.Name, _ problem: String?) -> Bool {
        guard let problem, let origin = found[name]?.origin else { return true }
        diagnostics.error(origin, nil, problem)
        return false
    }
}

/// Overrides the file's settings with the `BRIDGE_` names of `.env` and of the environment.
///
/// An empty variable counts as not set, because container tools pass on variables that nobody has set.
struct Overrides {
    let diagnostics: Diagnostics
    private(set) var dotEnv: DotEnv?
    /// Name of the `.env` file, for messages.
    let dotEnvName: String
    let dotEnvFolder: String
    private(set) var environment: [String: String]

    /// - Parameter deviceNames: Whether the `MQTT_` names are applied as well.
    mutating func apply(to settings: inout Settings, deviceNames: Bool) {
        leaveOutServices(deviceNames ? ["BRIDGE_", "MQTT_"] : ["BRIDGE_"])
        reportRepetitions()
        for entry in dotEnv?.entries ?? [] where entry.name.hasPrefix("BRIDGE_") && !entry.value.isEmpty {
            let origin = origin(of: entry)
            apply(
                entry.name, Setting(text: entry.value, origin: origin, layer: .dotEnv, folder: dotEnvFolder),
                to: &settings)
            warnOfComment(entry, isSecret: Key.byVariable[entry.name]?.isSecret == true)
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("BRIDGE_") && !value.isEmpty {
            let origin = Origin(.environment(variable: name))
            apply(name, Setting(text: value, origin: origin, layer: .environment, folder: ""), to: &settings)
        }
        if deviceNames { DeviceNames(overrides: self).apply(to: &settings) }
    }

    mutating func leaveOutServices(_ prefixes: [String]) {
        let links = ServiceLinks(in: environment, prefixes: prefixes)
        for (names, message) in links.warnings {
            let names = (list: names.joined(separator: ", "), count: names.count)
            diagnostics.warning("environment: \(names.list): \(message) (\(ServiceLinks.advice(for: names.count)))")
        }
        environment = environment.filter { !links.names.contains($0.key) }
        leaveOutServicesOfDotEnv(prefixes)
    }

    /// Ignores service variables also in `.env`: a file that was saved from an environment contains them.
    private mutating func leaveOutServicesOfDotEnv(_ prefixes: [String]) {
        let entries = dotEnv?.entries ?? []
        let links = ServiceLinks(
            in: Dictionary(entries.map { ($0.name, $0.value) }) { $1 }, prefixes: prefixes)
        for (names, message) in links.warnings {
            guard let first = entries.first(where: { names.contains($0.name) }) else { continue }
            let others = names.filter { $0 != first.name }
            let more = others.isEmpty ? "" : "and \(others.joined(separator: ", ")): "
            let advice = others.isEmpty ? "the line can be deleted" : "the lines can be deleted"
            diagnostics.warning(origin(of: first), nil, "\(more)\(message) (\(advice))")
        }
        dotEnv?.remove(links.names)
    }

    func origin(of entry: DotEnv.Entry) -> Origin {
        Origin(.dotEnv(name: dotEnvName, line: entry.line, variable: entry.name))
    }

    func warnOfComment(_ entry: DotEnv.Entry, isSecret: Bool) {
        guard isSecret, entry.hadComment else { return }
        let message =
            "a \" #\" in this line begins a comment; if it is part of the secret, put the value in single quotes"
        diagnostics.warning(origin(of: entry), nil, message)
    }

    private func apply(_ name: String, _ setting: Setting, to settings: inout Settings) {
        guard let key = Key.byVariable[name] else {
            reportUnknown(name, setting.origin)
            return
        }
        guard key.shape != .structure else {
            diagnostics.error(setting.origin, key.rawValue, "can only be given in the configuration file")
            return
        }
        settings.set(key, setting)
    }

    /// An unknown name is an error in `.env`, which is written for this program. In the environment, which other programs
    /// share (cluster managers add names such as `BRIDGE_SERVICE_HOST`), it is a warning.
    private func reportUnknown(_ name: String, _ origin: Origin) {
        let nearest = NearestName.of(
            name, in: Key.allCases.filter { $0.shape != .structure }.map(\.variable), after: "BRIDGE_")
        let advice =
            nearest.map { "did you mean \($0)?" } ?? "names are BRIDGE_ and a key's path, such as BRIDGE_UPLINK_HOST"
        if origin.isEnvironment {
            diagnostics.warning(origin, nil, "does not name a key, and is ignored; \(advice)")
        } else {
            diagnostics.error(origin, nil, "does not name a key; \(advice)")
        }
    }

    func reportRepetitions() {
        var lines: [String: Int] = [:]
        for entry in dotEnv?.entries ?? [] where entry.name.hasPrefix("BRIDGE_") || entry.name.hasPrefix("MQTT_") {
            if let first = lines[entry.name] {
                diagnostics.error(origin(of: entry), nil, "is given twice; the first is in line \(first)")
            } else {
                lines[entry.name] = entry.line
            }
        }
    }
}

/// A value as text, with its place and rank.
struct Setting: Sendable {
    var text: String
    var origin: Origin
    var layer: Layer
    /// Relative paths in the value start here.
    var folder: String

    /// The higher one wins.
    enum Layer: Int, Comparable, Sendable {
        case file
        /// `MQTT_` names of TESAIoT.
        case deviceNamesInDotEnv
        case deviceNamesInEnvironment
        /// `BRIDGE_` names.
        case dotEnv
        case environment

        static func < (a: Layer, b: Layer) -> Bool { a.rawValue < b.rawValue }
    }
}

/// What was written, by key: the file and what overrides it, not yet checked.
struct Settings {
    /// Keys of the shape `scalar`, and lists that come from the environment.
    private(set) var scalars: [Key: Setting] = [:]
    /// Keys of the shapes `list` and `structure` that come from the file.
    var nodes: [Key: YAMLNode] = [:]
    /// Where each section of the file begins, by its path, for errors about what is missing from it.
    var sections: [String: Origin] = [:]
    /// Of the configuration file; empty for the working directory.
    var folder = ""
    /// Of the configuration as a whole.
    var name = ""

    /// Scalars of the file that a higher layer has taken the place of.
    private var replaced: [Key: Setting] = [:]

    /// Keeps the value of the higher layer.
    mutating func set(_ key: Key, _ setting: Setting) {
        if let present = scalars[key] {
            if present.layer > setting.layer { return }
            if present.layer == .file, setting.layer != .file { replaced[key] = present }
        }
        scalars[key] = setting
    }

    /// What the environment and `.env` say otherwise than the file: a line for each key.
    var overridden: [String] {
        Key.allCases.compactMap { key in
            guard let winner = scalars[key], winner.layer != .file else { return nil }
            guard let loser = nodes[key]?.origin ?? replaced[key]?.origin else { return nil }
            guard winner.text != replaced[key]?.text else { return nil }
            return "\(winner.origin): overrides \(key.rawValue) of \(loser)"
        }
    }

    /// As if it had never been written.
    mutating func remove(_ key: Key) {
        scalars[key] = nil
        nodes[key] = nil
        replaced[key] = nil
    }

    /// Where the value of a key that is present comes from.
    func layer(of key: Key) -> Setting.Layer? {
        scalars[key]?.layer ?? (nodes[key] == nil ? nil : .file)
    }

    /// The best place to complain about a key that is missing.
    func placeOfMissing(_ key: Key) -> Origin {
        var section = key.section
        while let path = section {
            if let origin = sections[path] { return origin }
            section = Section.parent(of: path)
        }
        return Origin(.nowhere(name: name))
    }

    /// Where a key that is present was written.
    func origin(of key: Key) -> Origin? {
        scalars[key]?.origin ?? nodes[key]?.origin
    }

    var origins: [String: Origin] {
        var origins: [String: Origin] = [:]
        for key in Key.allCases {
            if let origin = origin(of: key) { origins[key.rawValue] = origin }
        }
        return origins
    }

    /// Whether the file itself, not a file it names, holds a password.
    var fileHoldsPassword: Bool {
        if Key.secrets.contains(where: { scalars[$0]?.layer == .file }) { return true }
        guard case .list(let items) = nodes[.authOverrides]?.content else { return false }
        return items.contains { item in
            guard case .map(let entries) = item.content else { return false }
            return entries.contains { $0.name == "password" }
        }
    }
}

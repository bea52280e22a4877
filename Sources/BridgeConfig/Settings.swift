/// A value as text, with the place where it is written and the layer that it comes from.
struct Setting: Sendable {
    var text: String
    var origin: Origin
    var layer: Layer
    /// The folder in which relative paths in the value start.
    var folder: String

    /// Where values come from. If several layers have a value for one key, the highest layer wins.
    enum Layer: Int, Comparable, Sendable {
        /// What the key `profile` stands for.
        case profile
        case file
        /// `MQTT_` names (TESAIoT).
        case deviceNamesInDotEnv
        case deviceNamesInEnvironment
        /// `BRIDGE_` names.
        case dotEnv
        case environment

        static func < (a: Layer, b: Layer) -> Bool { a.rawValue < b.rawValue }
    }
}

/// The values of the file and what overrides them, by key. They are not checked yet.
struct Settings {
    /// Values of keys of the shape `scalar`, and lists that come from the environment.
    private(set) var scalars: [Key: Setting] = [:]
    /// Values of keys of the shapes `list` and `structure` that come from the file.
    var nodes: [Key: YAMLNode] = [:]
    /// Keys of the file whose value has the wrong shape, such as a list where a single value is wanted, which is reported.
    var misshapen: Set<Key> = []
    /// Where each section of the file begins, by its path, for errors about missing keys.
    var sections: [String: Origin] = [:]
    /// The folder of the configuration file; empty for the working directory.
    var folder = ""
    /// The name of the configuration file, for messages.
    var name = ""

    /// Scalars of the file that a higher layer has replaced.
    private var replaced: [Key: Setting] = [:]

    /// Sets a value, unless a higher layer has set one already.
    mutating func set(_ key: Key, _ setting: Setting) {
        if let present = scalars[key] {
            if present.layer > setting.layer { return }
            if present.layer == .file, setting.layer != .file { replaced[key] = present }
        }
        scalars[key] = setting
    }

    /// The values of the file that the environment or `.env` overrides, in the order of the keys.
    var overridden: [OverriddenValue] {
        Key.allCases.compactMap { key in
            if let other = key.alternative, let loser = scalars[other], loser.layer == .file,
                let winner = scalars[key], winner.layer > .file
            {
                return OverriddenValue(key: other.rawValue, origin: loser.origin, winner: winner.origin)
            }
            guard let winner = scalars[key], winner.layer > .file else { return nil }
            guard let loser = nodes[key]?.origin ?? replaced[key]?.origin else { return nil }
            guard winner.text != replaced[key]?.text else { return nil }
            return OverriddenValue(key: key.rawValue, origin: loser, winner: winner.origin)
        }
    }

    /// Forgets every value of the key.
    mutating func remove(_ key: Key) {
        scalars[key] = nil
        nodes[key] = nil
        replaced[key] = nil
    }

    /// The layer that the key's value comes from; `nil` if the key is not given.
    func layer(of key: Key) -> Setting.Layer? {
        scalars[key]?.layer ?? (nodes[key] == nil ? nil : .file)
    }

    /// Whether the file or a higher layer gives the key, with a usable single value or not. A value that is not usable is
    /// reported already, so that nothing is said to be missing.
    func isGiven(_ key: Key) -> Bool { scalars[key] != nil || misshapen.contains(key) }

    /// The best place to report that a key is missing.
    func placeOfMissing(_ key: Key) -> Origin {
        var section = key.section
        while let path = section {
            if let origin = sections[path] { return origin }
            section = Section.parent(of: path)
        }
        return Origin(.nowhere(name: name))
    }

    /// Where the key's value is written; `nil` if the key is not given.
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

    /// Whether the configuration file itself contains a password, and not just the name of a file that does.
    var fileHoldsPassword: Bool {
        if Key.secrets.contains(where: { scalars[$0]?.layer == .file }) { return true }
        guard case .list(let items) = nodes[.authOverrides]?.content else { return false }
        return items.contains { item in
            guard case .map(let entries) = item.content else { return false }
            return entries.contains { $0.name == "password" }
        }
    }
}

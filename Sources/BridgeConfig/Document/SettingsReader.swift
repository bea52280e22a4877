/// Sorts the values of a configuration file by key, and reports unknown names and values of the wrong shape.
struct SettingsReader {
    private let diagnostics: Diagnostics
    private var settings: Settings

    static func read(_ root: YAMLNode, into settings: Settings, diagnostics: Diagnostics) -> Settings {
        var reader = SettingsReader(diagnostics: diagnostics, settings: settings)
        reader.readMap(root, section: nil)
        return reader.settings
    }

    private mutating func readMap(_ node: YAMLNode, section: String?) {
        // All keys of the section are commented out.
        if node.isNull { return }
        guard case .map(let entries) = node.content else {
            let message =
                "expected a map of keys, found \(node.kind); known: \(Key.names(in: section).joined(separator: ", "))"
            diagnostics.error(node.origin, section, message)
            return
        }
        for entry in entries { read(entry, section: section) }
    }

    private mutating func read(_ entry: YAMLNode.Entry, section: String?) {
        let path = path(section, entry.name)
        // A name that contains a dot is not a path, although it looks like one.
        let isPath = Section.parent(of: path) == section
        if isPath, Section.all.contains(path) {
            settings.sections[path] = entry.origin
            readMap(entry.value, section: path)
        } else if isPath, let key = Key(rawValue: path) {
            read(key, entry)
        } else {
            diagnostics.error(entry.origin, path, "unknown key; \(advice(entry.name, section))")
        }
    }

    private mutating func read(_ key: Key, _ entry: YAMLNode.Entry) {
        let node = entry.value
        guard key.shape == .scalar else {
            // All items of the list are commented out.
            if !node.isNull { settings.nodes[key] = node }
            return
        }
        guard case .scalar(let text, _) = node.content else {
            diagnostics.error(node.origin, key.rawValue, "expected a single value, found \(node.kind)")
            settings.misshapen.insert(key)
            return
        }
        guard !node.isNull else {
            diagnostics.error(entry.origin, key.rawValue, "has no value; remove the line to use the default")
            return
        }
        settings.set(key, Setting(text: text, origin: node.origin, layer: .file, folder: settings.folder))
    }

    private func path(_ section: String?, _ name: String) -> String {
        section.map { "\($0).\(name)" } ?? name
    }

    /// The key of that name in another section: preferably in a section below `section`, otherwise the least deeply nested
    /// one. `nil` if several keys qualify.
    private func elsewhere(_ name: String, _ section: String?) -> Key? {
        let keys = Key.allCases.filter { $0.name == name && $0.section != section }
        let below = keys.filter { key in section.map { key.rawValue.hasPrefix($0 + ".") } ?? false }
        if let key = below.first, below.count == 1 { return key }
        func depth(_ key: Key) -> Int { key.rawValue.count { $0 == "." } }
        let least = keys.map(depth).min()
        let shallow = keys.filter { depth($0) == least }
        return shallow.count == 1 ? shallow.first : nil
    }

    /// Where the key or section belongs if only its place is wrong; otherwise the nearest name; otherwise all names.
    private func advice(_ name: String, _ section: String?) -> String {
        if let key = Key(rawValue: name) ?? Key(rawValue: path(section, name)), let place = key.section {
            return "write it as \"\(key.name)\" \(Section.place(place))"
        }
        if let key = elsewhere(name, section) {
            return key.section.map { "\"\(name)\" belongs \(Section.place($0))" }
                ?? "\"\(name)\" belongs at the top level"
        }
        if let place = Section.all.first(where: { Section.name(of: $0) == name }).flatMap(Section.parent) {
            return "\"\(name):\" belongs \(Section.place(place))"
        }
        return NearestName.advice(name, in: Key.names(in: section))
    }
}

extension ConfigurationReader {
    /// A list of words: from an environment variable separated by commas, from the file as a list or a single word.
    /// `nil` if the key is not given.
    func words(_ key: Key) -> [Setting]? {
        if let setting = settings.scalars[key] {
            return setting.text.split(separator: ",", omittingEmptySubsequences: true).map { part in
                var item = setting
                item.text = String(part.trimmingSpaces())
                return item
            }
        }
        guard let node = settings.nodes[key] else { return nil }
        return items(of: node).compactMap { scalar($0, key.rawValue) }
    }

    /// The items of a list; a node that is not a list counts as a list of one item.
    func items(of node: YAMLNode) -> [YAMLNode] {
        if case .list(let items) = node.content { items } else { [node] }
    }

    /// A scalar that is an item of a list, or a value in an item of a list.
    func scalar(_ node: YAMLNode, _ path: String) -> Setting? {
        guard case .scalar(let text, _) = node.content else {
            diagnostics.error(node.origin, path, "expected a single value, found \(node.kind)")
            return nil
        }
        guard !node.isNull else {
            diagnostics.error(node.origin, path, "has no value")
            return nil
        }
        return Setting(text: text, origin: node.origin, layer: .file, folder: settings.folder)
    }

    /// The entries of a map that is an item of a list, by name; reports unknown names.
    func entries(of node: YAMLNode, _ path: String, known: [String]) -> [String: YAMLNode]? {
        guard case .map(let entries) = node.content else {
            let example = known.map { "\($0): ..." }.joined(separator: ", ")
            diagnostics.error(node.origin, path, "expected a map {\(example)}, found \(node.kind)")
            return nil
        }
        var result: [String: YAMLNode] = [:]
        for entry in entries {
            let key = "\(path).\(entry.name)"
            guard known.contains(entry.name) else {
                diagnostics.error(entry.origin, key, "unknown key; \(NearestName.advice(entry.name, in: known))")
                continue
            }
            result[entry.name] = entry.value
        }
        return result
    }
}

extension Substring {
    func trimmingSpaces() -> Substring {
        var rest = drop { $0 == " " || $0 == "\t" }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}

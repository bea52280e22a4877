extension ConfigurationReader {
    /// A list of words: from the environment with commas between, from the file as a list, or a single word.
    /// `nil` where there is none.
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

    /// The items of a list; a node that is no list is its own only item.
    func items(of node: YAMLNode) -> [YAMLNode] {
        if case .list(let items) = node.content { items } else { [node] }
    }

    /// A scalar inside a list or a map of a list.
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

    /// The entries of a map of a list, by name; unknown names and repetitions are reported.
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
            if result.updateValue(entry.value, forKey: entry.name) != nil {
                diagnostics.error(entry.origin, key, "is given twice in this map")
            }
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

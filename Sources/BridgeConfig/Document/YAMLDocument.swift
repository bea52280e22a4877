import Yams

/// Reads YAML-lite: one document of maps, lists, scalars and comments. Anchors, aliases, tags, merge keys, duplicate
/// keys and further documents are errors. Only this file uses the YAML library.
struct YAMLDocument {
    private let name: String
    private var source: SourceText
    private let diagnostics: Diagnostics

    /// Characters of Unicode's private use area. Each duplicate key gets another one in place of its first character, so
    /// that the parser continues and the rest of the file is checked too.
    private static let duplicateMarks: ClosedRange<Unicode.Scalar> = "\u{E000}"..."\u{E031}"

    enum Outcome {
        case root(YAMLNode)
        /// The text is empty or consists of comments.
        case empty
        /// The error is in `diagnostics`.
        case invalid
    }

    static func parse(_ text: String, name: String, diagnostics: Diagnostics) -> Outcome {
        var document = YAMLDocument(name: name, source: SourceText(text), diagnostics: diagnostics)
        switch document.compose() {
        case .success(nil): return .empty
        case .success(let node?): return document.convert(node).map { .root($0) } ?? .invalid
        case .failure: return .invalid
        }
    }

    private struct Reported: Error {}

    private func origin(_ mark: Mark?) -> Origin {
        Origin(.file(name: name, line: mark?.line ?? 1, column: mark?.column ?? 1))
    }

    private mutating func compose() -> Result<Node?, Reported> {
        for value in Self.duplicateMarks.lowerBound.value...Self.duplicateMarks.upperBound.value {
            do {
                return .success(try Yams.Parser(yaml: source.text, encoding: .utf8).singleRoot())
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let first = names.first ?? ""
                guard let mark = Unicode.Scalar(value), hideDuplicate(first, first: context.mark, by: mark) else {
                    return .failure(Reported())
                }
            } catch {
                report(error)
                return .failure(Reported())
            }
        }
        return .failure(Reported())
    }

    /// Reports a duplicate key and hides it. Returns whether the parser may try again.
    private mutating func hideDuplicate(_ name: String, first: Mark, by mark: Unicode.Scalar) -> Bool {
        let message = "\"\(name)\" is given twice; the first is in line \(first.line)"
        guard let line = lineOfRepetition(of: name, first: first) else {
            diagnostics.error(origin(first), nil, "\"\(name)\" is given twice in this map")
            return false
        }
        diagnostics.error(Origin(.file(name: self.name, line: line, column: first.column)), nil, message)
        source.replace(line: line, column: first.column, with: mark)
        return true
    }

    /// The next line with the same key at the same indentation, in a map in block style.
    private func lineOfRepetition(of name: String, first: Mark) -> Int? {
        let key = Array(name.unicodeScalars)
        let depth = first.column - 1
        guard !key.isEmpty, first.line < source.lines.count else { return nil }
        for line in (first.line + 1)...source.lines.count {
            guard let scalars = source.line(line) else { return nil }
            let text = scalars.drop { $0 == " " }
            if text.isEmpty || text.first == "#" { continue }
            let indentation = scalars.count - text.count
            if indentation < depth { return nil }
            guard indentation == depth, text.starts(with: key) else { continue }
            if text.dropFirst(key.count).first(where: { $0 != " " }) == ":" { return line }
        }
        return nil
    }

    private func report(_ error: any Error) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let advice = YAMLAdvice.of(problem: problem, line: mark.line, column: mark.column, in: source)
            let about = context.map { " (\($0.text))" } ?? ""
            diagnostics.error(origin(mark), nil, advice ?? "not valid YAML: \(problem)\(about)")
        case YamlError.reader:
            let place = YAMLAdvice.placeOfControlCharacter(in: source)
            let mark = Origin(.file(name: name, line: place.line, column: place.column))
            diagnostics.error(mark, nil, "a control character; only text, spaces and line breaks can stand here")
        default:
            diagnostics.error(Origin(.nowhere(name: name)), nil, "not valid YAML")
        }
    }

    // MARK: - Into nodes of our own

    /// Converts a node; reports an error and returns `nil` if YAML-lite does not have this kind of node.
    private func convert(_ node: Node) -> YAMLNode? {
        guard isPlainYAML(node) else { return nil }
        let origin = origin(node.mark)
        switch node {
        case .scalar(let scalar):
            return YAMLNode(content: .scalar(scalar.string, isPlain: scalar.style == .plain), origin: origin)
        case .sequence(let items):
            return YAMLNode(content: .list(items.compactMap { convert($0) }), origin: origin)
        case .mapping(let pairs):
            return YAMLNode(content: .map(pairs.compactMap { entry(key: $0.key, value: $0.value) }), origin: origin)
        case .alias:
            return nil
        }
    }

    private func entry(key: Node, value: Node) -> YAMLNode.Entry? {
        let place = origin(key.mark)
        guard case .scalar(let scalar) = key else {
            diagnostics.error(place, nil, "a list or map cannot be a key; a key is a word")
            return nil
        }
        guard isPlainYAML(key) else { return nil }
        if scalar.string == "<<" {
            diagnostics.error(place, nil, "merge keys (<<) are not supported; write the values out")
            return nil
        }
        guard let value = convert(value) else { return nil }
        if let first = scalar.string.unicodeScalars.first, Self.duplicateMarks.contains(first) { return nil }
        return YAMLNode.Entry(name: scalar.string, origin: place, value: value)
    }

    /// Whether the node has neither an anchor nor a tag. A node with one begins at that character, and no plain scalar may
    /// begin with it. For an alias the parser gives the anchored node, so aliases are refused here too, before any is
    /// followed.
    private func isPlainYAML(_ node: Node) -> Bool {
        guard let mark = node.mark else { return false }
        let feature: String
        switch source.scalar(line: mark.line, column: mark.column) {
        case "&": feature = "anchors (&name) and aliases (*name) are"
        case "!": feature = "tags (!type) are"
        default: return true
        }
        let advice = "a value that begins with & * or ! goes in quotes"
        diagnostics.error(origin(mark), nil, "\(feature) not supported; \(advice)")
        return false
    }
}

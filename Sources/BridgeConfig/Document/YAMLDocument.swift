/// Reads YAML-lite: one document of maps, lists, scalars and comments. Anchors, aliases, tags, merge keys, duplicate
/// keys and further documents are errors. After such an error the rest of the text is checked too.
struct YAMLDocument {
    private let name: String
    private let source: SourceText
    private let diagnostics: Diagnostics
    /// In how many lists and maps the next event is.
    private var depth = 0
    private var duplicates = 0

    /// Lists and maps may be nested as deep as this. A configuration needs five levels.
    static let maximumDepth = 32
    /// Duplicate keys beyond these are not reported, but do not get into the result either.
    private static let reportedDuplicates = 50

    enum Outcome {
        case root(YAMLNode)
        /// The text is empty or consists of comments.
        case empty
        /// The error is in `diagnostics`.
        case invalid
    }

    private init(name: String, source: SourceText, diagnostics: Diagnostics) {
        self.name = name
        self.source = source
        self.diagnostics = diagnostics
    }

    static func parse(_ text: String, name: String, diagnostics: Diagnostics) -> Outcome {
        var document = YAMLDocument(name: name, source: SourceText(text), diagnostics: diagnostics)
        do {
            return try document.read(YAMLEventReader(text))
        } catch {
            document.report(error)
            return .invalid
        }
    }

    private mutating func read(_ events: YAMLEventReader) throws(YAMLProblem) -> Outcome {
        let start = try events.next()
        guard start.kind == .documentStart else { return .empty }
        guard !start.hasTag else {
            diagnostics.error(origin(start.place), nil, "tags (!type) are not supported; leave out %TAG")
            return .invalid
        }
        let root = try node(try events.next(), events)
        _ = try events.next()  // the end of the document
        let further = try events.next()
        guard further.kind == .end else {
            let message = "a second document (---) begins here; a configuration is one document"
            diagnostics.error(origin(further.place), nil, message)
            return .invalid
        }
        return root.map { .root($0) } ?? .invalid
    }

    /// The value that begins with `event`; reports an error and returns `nil` if YAML-lite does not have this kind of
    /// value.
    private mutating func node(_ event: YAMLEvent, _ events: YAMLEventReader) throws(YAMLProblem) -> YAMLNode? {
        guard isPlainYAML(event) else {
            try skip(event, events)
            return nil
        }
        depth += event.depth
        defer { depth -= event.depth }
        guard depth <= Self.maximumDepth else { throw .tooDeep(event.place) }
        let content: YAMLNode.Content
        switch event.kind {
        case .scalar(let text, let isPlain): content = .scalar(text, isPlain: isPlain)
        case .listStart: content = .list(try list(events))
        case .mapStart: content = .map(try map(events))
        // The library gives none of these where a value begins, except for aliases, which are refused above.
        case .alias, .listEnd, .mapEnd, .documentStart, .documentEnd, .end: return nil
        }
        return YAMLNode(content: content, origin: origin(event.place))
    }

    private mutating func list(_ events: YAMLEventReader) throws(YAMLProblem) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try events.next()
            if event.kind == .listEnd { return items }
            if let item = try node(event, events) { items.append(item) }
        }
    }

    private mutating func map(_ events: YAMLEventReader) throws(YAMLProblem) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var lines: [String: Int] = [:]
        while true {
            let key = try events.next()
            if key.kind == .mapEnd { return entries }
            let name = try text(ofKey: key, events)
            let first = try events.next()
            guard let name else {
                try skip(first, events)
                continue
            }
            let value = try node(first, events)
            if let line = lines[name] {
                reportDuplicate(name, at: key.place, first: line)
            } else {
                lines[name] = key.place.line
                if let value { entries.append(.init(name: name, origin: origin(key.place), value: value)) }
            }
        }
    }

    /// The text of a key; reports an error and returns `nil` if this is none.
    private func text(ofKey key: YAMLEvent, _ events: YAMLEventReader) throws(YAMLProblem) -> String? {
        let isPlain = isPlainYAML(key)
        guard case .scalar(let name, _) = key.kind else {
            if isPlain {
                diagnostics.error(origin(key.place), nil, "a list or map cannot be a key; a key is a word")
            }
            try skip(key, events)
            return nil
        }
        guard isPlain else { return nil }
        guard name != "<<" else {
            diagnostics.error(origin(key.place), nil, "merge keys (<<) are not supported; write the values out")
            return nil
        }
        return name
    }

    /// Reads over everything that belongs to a value that is refused.
    private func skip(_ first: YAMLEvent, _ events: YAMLEventReader) throws(YAMLProblem) {
        var open = first.depth
        while open > 0 {
            let event = try events.next()
            open += event.depth
            guard open <= Self.maximumDepth else { throw .tooDeep(event.place) }
        }
    }

    // MARK: - Errors

    /// Whether an event has neither an anchor nor a tag and is no alias. No alias is ever followed.
    private func isPlainYAML(_ event: YAMLEvent) -> Bool {
        let problem: String
        if event.kind == .alias {
            problem = "aliases (*name) are not supported; a value that begins with * goes in quotes"
        } else if event.hasAnchor {
            problem =
                "anchors (&name) and aliases (*name) are not supported; a value that begins with & * or ! goes in quotes"
        } else if event.hasTag || isAloneTag(event) {
            problem = "tags (!type) are not supported; a value that begins with & * or ! goes in quotes"
        } else {
            return true
        }
        diagnostics.error(origin(event.place), nil, problem)
        return false
    }

    /// Whether a scalar has a "!" without a name before it, which the library does not tell. No plain scalar can begin
    /// with that character.
    private func isAloneTag(_ event: YAMLEvent) -> Bool {
        guard case .scalar = event.kind else { return false }
        return source.scalar(line: event.place.line, column: event.place.column) == "!"
    }

    private mutating func reportDuplicate(_ name: String, at place: YAMLPlace, first: Int) {
        duplicates += 1
        guard duplicates <= Self.reportedDuplicates else { return }
        diagnostics.error(origin(place), nil, "\"\(name)\" is given twice; the first is in line \(first)")
    }

    private func report(_ problem: YAMLProblem) {
        switch problem {
        case .syntax(let words, let context, let place):
            let advice = YAMLAdvice.of(problem: words, line: place.line, column: place.column, in: source)
            let about = context.map { " (\($0))" } ?? ""
            diagnostics.error(origin(place), nil, advice ?? "not valid YAML: \(words)\(about)")
        case .character:
            let place = YAMLAdvice.placeOfControlCharacter(in: source)
            let message = "a control character; only text, spaces and line breaks can stand here"
            diagnostics.error(origin(place), nil, message)
        case .tooDeep(let place):
            let message = "lists and maps are nested more than \(Self.maximumDepth) deep here; no key needs that"
            diagnostics.error(origin(place), nil, message)
        case .outOfMemory:
            diagnostics.error(Origin(.nowhere(name: name)), nil, "cannot be read: there is not enough memory")
        }
    }

    private func origin(_ place: YAMLPlace) -> Origin {
        Origin(.file(name: name, line: place.line, column: place.column))
    }
}

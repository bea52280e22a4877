import CYAML

/// The library that the process has loaded, which need not be the one that it was built with.
package enum YAMLLibrary {
    package static var version: String { yaml_get_version_string().map { String(cString: $0) } ?? "?" }
}

/// Owns a parser of libyaml and the text that it reads. Only this file calls the library.
final class YAMLEventReader {
    /// The library keeps pointers to the parser and to the text, so both need an address of their own.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ source: String) throws(YAMLProblem) {
        text = .allocate(capacity: source.utf8.count)
        _ = text.initialize(from: source.utf8)
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else { throw .outOfMemory }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    /// The next event; `end` for ever after the last one.
    func next() throws(YAMLProblem) -> YAMLEvent {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw problem }
            defer { yaml_event_delete(&event) }
            // The stream and its encoding say nothing about the text.
            if event.type != YAML_STREAM_START_EVENT { return Self.copy(event) }
        }
    }

    private static func copy(_ event: yaml_event_t) -> YAMLEvent {
        var copy = YAMLEvent(kind: .end, place: place(event.start_mark))
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            copy.kind = .documentStart
            let directives = event.data.document_start.tag_directives
            copy.hasTag = directives.start != directives.end
        case YAML_DOCUMENT_END_EVENT: copy.kind = .documentEnd
        case YAML_ALIAS_EVENT: copy.kind = .alias
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            // The value may contain zeros.
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            copy.kind = .scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain)
            copy.hasAnchor = scalar.anchor != nil
            copy.hasTag = scalar.tag != nil
        case YAML_SEQUENCE_START_EVENT:
            copy.kind = .listStart
            copy.hasAnchor = event.data.sequence_start.anchor != nil
            copy.hasTag = event.data.sequence_start.tag != nil
        case YAML_SEQUENCE_END_EVENT: copy.kind = .listEnd
        case YAML_MAPPING_START_EVENT:
            copy.kind = .mapStart
            copy.hasAnchor = event.data.mapping_start.anchor != nil
            copy.hasTag = event.data.mapping_start.tag != nil
        case YAML_MAPPING_END_EVENT: copy.kind = .mapEnd
        default: break  // the end of the stream, and no event at all after that
        }
        return copy
    }

    private static func place(_ mark: yaml_mark_t) -> YAMLPlace {
        YAMLPlace(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    private var problem: YAMLProblem {
        let state = parser.pointee
        switch state.error {
        case YAML_MEMORY_ERROR: return .outOfMemory
        case YAML_READER_ERROR: return .character
        default:
            let words = state.problem.map { String(cString: $0) } ?? "the parser does not say why"
            let context = state.context.map { String(cString: $0) }
            return .syntax(words, context: context, Self.place(state.problem_mark))
        }
    }
}

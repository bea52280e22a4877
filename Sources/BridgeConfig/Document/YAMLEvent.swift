/// A part of a YAML text, as the YAML library finds one after the other.
struct YAMLEvent: Equatable {
    enum Kind: Equatable {
        /// `isPlain` says whether it was written without quotes.
        case scalar(String, isPlain: Bool)
        case listStart
        case listEnd
        case mapStart
        case mapEnd
        case alias
        case documentStart
        case documentEnd
        case end
    }

    var kind: Kind
    var place: YAMLPlace
    var hasAnchor = false
    /// The start of a document has one if it declares prefixes of tags (`%TAG`).
    var hasTag = false

    /// By how many levels what follows is nested deeper than what came before.
    var depth: Int {
        switch kind {
        case .listStart, .mapStart: 1
        case .listEnd, .mapEnd: -1
        case .scalar, .alias, .documentStart, .documentEnd, .end: 0
        }
    }
}

/// A place in a text. Lines and columns, in Unicode scalars, count from 1.
struct YAMLPlace: Equatable {
    var line: Int
    var column: Int
}

/// Why the rest of a text cannot be read.
enum YAMLProblem: Error, Equatable {
    /// A character that YAML allows nowhere; the library does not say in which line.
    case character
    /// In the library's words. `context` is what it was reading.
    case syntax(String, context: String?, YAMLPlace)
    /// Lists and maps are nested deeper than `YAMLDocument.maximumDepth`.
    case tooDeep(YAMLPlace)
    case outOfMemory
}

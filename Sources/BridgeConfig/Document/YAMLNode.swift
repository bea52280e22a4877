/// A value in a configuration file, with its place. `YAMLDocument` makes these. The names in a map are
/// different from each other.
struct YAMLNode: Sendable {
    var content: Content
    var origin: Origin

    indirect enum Content: Sendable {
        /// `isPlain` says whether it was written without quotes.
        case scalar(String, isPlain: Bool)
        case list([YAMLNode])
        case map([Entry])
    }

    struct Entry: Sendable {
        var name: String
        /// Where the key is written.
        var origin: Origin
        var value: YAMLNode
    }

    /// Whether there is no value, or one of YAML's names for null.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The kind of value, in words for the operator.
    var kind: String {
        switch content {
        case .scalar: "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

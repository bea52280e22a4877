/// A value of a configuration file, with its place. What `YAMLDocument` makes and everything else reads.
struct YAMLNode: Sendable {
    var content: Content
    var origin: Origin

    indirect enum Content: Sendable {
        /// `isPlain`: written without quotes.
        case scalar(String, isPlain: Bool)
        case list([YAMLNode])
        case map([Entry])
    }

    struct Entry: Sendable {
        var name: String
        /// Of the key.
        var origin: Origin
        var value: YAMLNode
    }

    /// Nothing written, or one of YAML's words for nothing.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What is there, in the operator's words.
    var kind: String {
        switch content {
        case .scalar: "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

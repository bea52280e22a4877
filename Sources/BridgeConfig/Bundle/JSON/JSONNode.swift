/// A value of a JSON text, with the place where it begins.
struct JSONNode: Sendable {
    var content: Content
    /// In bytes from the start of the text; ``JSONText/origin(of:)`` makes a line and a column of it.
    var offset: Int

    indirect enum Content: Sendable {
        case null
        case boolean(Bool)
        /// As it is written.
        case number(String)
        case string(String)
        case list([JSONNode])
        case object([Member])
    }

    struct Member: Sendable {
        var name: String
        var value: JSONNode
    }

    /// The members, if this is an object.
    var members: [Member] {
        if case .object(let members) = content { members } else { [] }
    }

    /// What this is, for a message: `a list`.
    var kind: String {
        switch content {
        case .null: "null"
        case .boolean: "true or false"
        case .number: "a number"
        case .string: "a text"
        case .list: "a list"
        case .object: "an object"
        }
    }

    /// The text of a scalar; `nil` if it is none, or `null`.
    var scalar: String? {
        switch content {
        case .boolean(let value): value ? "true" : "false"
        case .number(let text), .string(let text): text
        case .null, .list, .object: nil
        }
    }

    /// The value of a member, whatever its name's case and separators: `caFile` is `ca_file`.
    func value(_ name: String) -> JSONNode? {
        let wanted = Self.plain(name)
        return members.first { Self.plain($0.name) == wanted }?.value
    }

    /// A name without what spellings differ in: `Connect-Timeout` and `connect_timeout` both become `connecttimeout`.
    static func plain(_ name: String) -> String {
        String(
            String.UnicodeScalarView(name.lowercased().unicodeScalars.filter { !"_- .".unicodeScalars.contains($0) }))
    }
}

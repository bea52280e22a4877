/// Iterates over the levels of a topic name or filter (MQTT 4.7.1.1).
///
/// It works on bytes, because MQTT compares topics byte for byte [MQTT-4.7.3-4]. Swift's own comparison treats
/// canonically equal texts as one, and its `Character` lets a combining mark hide a `/`.
struct TopicLevels {
    /// What `next()` has not returned yet; `nil` when no level is left. The empty text is one empty level.
    private(set) var rest: Substring?

    init(_ text: Substring) {
        rest = text
    }

    mutating func next() -> Substring? {
        guard let rest else {
            return nil
        }
        guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            self.rest = nil
            return rest
        }
        self.rest = rest[rest.utf8.index(after: slash)...]
        return rest[..<slash]
    }
}

/// A text that is compared byte for byte.
struct ExactText: Hashable {
    let text: String

    static func == (left: Self, right: Self) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension StringProtocol {
    /// Whether both texts are equal byte for byte, as MQTT compares them.
    func hasSameBytes(as other: some StringProtocol) -> Bool {
        // Going through texts byte by byte costs several times as much as comparing their bytes in place.
        let result = utf8.withContiguousStorageIfAvailable { bytes in
            other.utf8.withContiguousStorageIfAvailable { $0.count == bytes.count && $0.elementsEqual(bytes) }
        }
        return (result ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    /// Whether the text consists of that one byte.
    func isOnly(_ byte: UInt8) -> Bool {
        utf8.first == byte && utf8.dropFirst().isEmpty
    }

    var isSingleLevelWildcard: Bool { isOnly(UInt8(ascii: "+")) }
    var isMultiLevelWildcard: Bool { isOnly(UInt8(ascii: "#")) }

    /// Whether this is a topic like `$SYS`, which no wildcard in the first level matches (MQTT 4.7.2).
    var beginsWithDollar: Bool { utf8.first == UInt8(ascii: "$") }

    /// Whether this is a filter whose first level is `+` or `#`.
    var beginsWithWildcard: Bool {
        utf8.first == UInt8(ascii: "+") || utf8.first == UInt8(ascii: "#")
    }
}

/// One side of a route: a topic filter (MQTT 4.7) split into its levels.
struct TopicPattern: Sendable, Equatable {
    enum Level: Sendable, Equatable {
        case literal(String)
        /// `+` matches exactly one level.
        case single
        /// `#` matches its parent level and everything below.
        case multi
    }

    /// What the wildcards of a pattern stand for in one topic or filter.
    struct Captures: Equatable {
        /// One level for each `+`, in order. In a filter that level may itself be `+`.
        var levels: [Substring] = []
        /// The one or more levels that `#` stands for; `nil` if the pattern has no `#`, or if its parent was matched.
        var tail: Substring?
    }

    /// The longest string in MQTT, in bytes (MQTT 5 1.5.4, MQTT 3.1.1 1.5.3).
    static let maximumLength = 65_535

    let levels: [Level]
    /// The bytes of the literal levels and of the slashes.
    private let literalLength: Int

    /// Throws if `source` is not a valid topic filter.
    init(parsing source: String) throws(PatternError) {
        guard !source.utf8.isEmpty else { throw .empty }
        guard source.utf8.count <= Self.maximumLength else { throw .tooLong }
        guard !source.utf8.contains(0) else { throw .containsNull }
        var levels: [Level] = []
        var remaining = TopicLevels(source[...])
        while let text = remaining.next() {
            if text.isSingleLevelWildcard {
                levels.append(.single)
            } else if text.isMultiLevelWildcard {
                guard remaining.rest == nil else { throw .multiLevelWildcardNotLast }
                levels.append(.multi)
            } else if text.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) {
                throw .wildcardNotAlone(level: String(text))
            } else {
                levels.append(.literal(String(text)))
            }
        }
        self.levels = levels
        literalLength = levels.reduce(max(levels.count - 1, 0)) { length, level in
            if case .literal(let text) = level { length + text.utf8.count } else { length }
        }
    }

    /// How many `+` the pattern has.
    var singleCount: Int { levels.count(where: { $0 == .single }) }

    /// Whether the pattern ends in `#`.
    var hasTail: Bool { levels.last == .multi }

    /// How many bytes longer than `other` the pattern is, if what the wildcards stand for is the same in both; negative if
    /// it is shorter.
    func length(beyond other: TopicPattern) -> Int { literalLength - other.literalLength }

    /// The pattern as it is written.
    var text: String {
        levels.map { level in
            switch level {
            case .literal(let text): text
            case .single: "+"
            case .multi: "#"
            }
        }.joined(separator: "/")
    }

    /// The intersection of this pattern and a topic or filter, expressed as what the pattern's wildcards stand for in
    /// it; `nil` if no topic matches both.
    ///
    /// A topic is a filter without wildcards, so this also matches a topic. The intersection of two filters is always a
    /// single filter or empty.
    func captures(in filter: Substring) -> Captures? {
        guard sharesFirstLevelRule(with: filter) else {
            return nil
        }
        var captures = Captures()
        var remaining = TopicLevels(filter)
        for (index, level) in levels.enumerated() {
            if level == .multi {
                captures.tail = remaining.rest
                return captures
            }
            guard let text = remaining.next() else {
                return nil
            }
            if text.isMultiLevelWildcard {
                captureThemselves(levels[index...], into: &captures)
                return captures
            }
            switch level {
            case .literal(let literal):
                guard text.hasSameBytes(as: literal) || text.isSingleLevelWildcard else {
                    return nil
                }
            case .single:
                captures.levels.append(text)
            case .multi:
                break
            }
        }
        // `a/#` also matches its parent `a` [MQTT-4.7.1-2].
        guard let rest = remaining.rest else {
            return captures
        }
        return rest.isMultiLevelWildcard ? captures : nil
    }

    /// The topic or filter with `captures` in place of the wildcards; `nil` if it would be empty, or a `$` topic that a
    /// wildcard in the first level does not match.
    func filled(with captures: Captures) -> String? {
        var singles = captures.levels.makeIterator()
        var result = ""
        result.reserveCapacity(
            captures.levels.reduce(literalLength + (captures.tail?.utf8.count ?? 0)) { $0 + $1.utf8.count })
        var isFirst = true
        for level in levels {
            let text: Substring?
            switch level {
            case .literal(let literal): text = literal[...]
            case .single: text = singles.next()
            case .multi: text = captures.tail
            }
            guard let text else {
                // Only `#` may stand for nothing, which means its parent.
                guard level == .multi else { return nil }
                break
            }
            if !isFirst {
                result += "/"
            }
            isFirst = false
            result += text
        }
        if result.utf8.isEmpty || (beginsWithWildcard && result.beginsWithDollar) {
            return nil
        }
        return result
    }

    /// MQTT 4.7.2: a wildcard in the first level, on either side, does not match a first level that begins with `$`.
    private func sharesFirstLevelRule(with filter: Substring) -> Bool {
        if beginsWithWildcard {
            return !filter.beginsWithDollar
        }
        guard case .literal(let first)? = levels.first, first.beginsWithDollar else {
            return true
        }
        return !filter.beginsWithWildcard
    }

    private var beginsWithWildcard: Bool {
        levels.first == .single || levels.first == .multi
    }

    /// The other filter has `#` here, so the rest of this pattern is the rest of the intersection.
    private func captureThemselves(_ rest: ArraySlice<Level>, into captures: inout Captures) {
        for level in rest {
            switch level {
            case .literal: break
            case .single: captures.levels.append("+")
            case .multi: captures.tail = "#"
            }
        }
    }
}

/// Why a text is not a valid topic filter. The description completes "the local side ...".
enum PatternError: Error, Equatable, CustomStringConvertible {
    case empty
    case tooLong
    case containsNull
    case multiLevelWildcardNotLast
    case wildcardNotAlone(level: String)

    var description: String {
        switch self {
        case .empty:
            "is empty: a topic filter has at least one character"
        case .tooLong:
            "is longer than \(TopicPattern.maximumLength) bytes"
        case .containsNull:
            "contains a NUL character, which MQTT does not allow"
        case .multiLevelWildcardNotLast:
            "has a `#` before its last level: `#` is only allowed at the end, as in `a/b/#`"
        case .wildcardNotAlone(let level):
            "has a wildcard beside other text in level \(level.quotedForMessage()): `+` and `#` have to be whole levels"
        }
    }
}

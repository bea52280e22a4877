/// One side of a route: a topic filter (MQTT 4.7) taken apart into its levels.
struct TopicPattern: Sendable, Equatable {
    enum Level: Sendable, Equatable {
        case literal(String)
        /// `+`: exactly one level.
        case single
        /// `#`: this level's parent and everything below.
        case multi
    }

    /// What the wildcards of a pattern stand for in one topic or filter.
    struct Captures: Equatable {
        /// One level for each `+`, in order. From a filter it may be `+` itself.
        var levels: [Substring] = []
        /// What `#` stands for: one level or several. `nil` where the pattern has no `#`, and where the parent itself
        /// was matched.
        var tail: Substring?
    }

    /// MQTT strings are at most this long (MQTT 5 1.5.4, MQTT 3.1.1 1.5.3).
    static let maximumLength = 65_535

    let levels: [Level]

    /// Throws where `source` is no valid topic filter.
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
    }

    /// How many `+` it has.
    var singleCount: Int { levels.count(where: { $0 == .single }) }

    /// Whether it ends in `#`.
    var hasTail: Bool { levels.last == .multi }

    /// What this pattern and a topic or filter have in common, told as what the wildcards of the pattern stand for;
    /// `nil` where nothing matches both.
    ///
    /// A topic is a filter without wildcards, so this is also how a topic is matched. Two filters always have one
    /// filter, or none, as their intersection.
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
        // `a/#` matches its parent `a` too [MQTT-4.7.1-2].
        guard let rest = remaining.rest else {
            return captures
        }
        return rest.isMultiLevelWildcard ? captures : nil
    }

    /// The topic or filter that has `captures` in place of the wildcards. `nil` where that is none: it would be empty,
    /// or a `$` topic in place of a wildcard that does not match those.
    func filled(with captures: Captures) -> String? {
        var singles = captures.levels.makeIterator()
        var result = ""
        var isFirst = true
        for level in levels {
            let text: Substring?
            switch level {
            case .literal(let literal): text = literal[...]
            case .single: text = singles.next()
            case .multi: text = captures.tail
            }
            guard let text else {
                // Only `#` may stand for nothing; then its parent is meant.
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

    /// MQTT 4.7.2: a wildcard in the first level does not match what begins with `$`. Both ways, for filters.
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

    /// The other filter has `#` here: whatever this pattern says from here on is the intersection.
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

/// Why a text is no topic filter. The description completes "the local side ...".
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
            "holds a NUL character, which MQTT does not allow"
        case .multiLevelWildcardNotLast:
            "has a `#` before its last level: `#` is only allowed at the end, as in `a/b/#`"
        case .wildcardNotAlone(let level):
            "has a wildcard beside other text in level \(level.quotedForMessage()): `+` and `#` stand alone in theirs"
        }
    }
}

/// The topics that one route takes in one direction, read level by level. Levels are numbers, so that many routes can be
/// compared quickly; ``LevelNumbers`` gives them out.
///
/// A route takes a topic if its one side matches it and the other side can be filled with what the wildcards stand for.
/// ``TopicPattern/captures(in:)`` and ``TopicPattern/filled(with:)`` decide that for a device's message; the tests compare
/// both for random routes and topics.
struct RouteLanguage: Equatable {
    /// How far a topic has been read, as far as the levels read so far matter for later ones.
    struct Progress: Hashable {
        /// The first wildcard stands for an empty level, which would make an empty topic if nothing follows it.
        var isCapturedEmpty = false
    }

    let levels: [Int]
    private let firstWildcard: Int?
    /// The other side begins with a wildcard, which never stands for a `$` level.
    private let fillsFirstLevel: Bool
    /// The other side is `+`, which may not become an empty topic.
    private let fillsOneLevel: Bool
    /// The other side is `+/#`, which becomes an empty topic if `+` is empty and `#` stands for the parent.
    private let fillsLevelAndTail: Bool
    /// The other side is `#`, which may not become an empty topic.
    private let fillsTail: Bool
    /// The other side is `/#`, which would become an empty topic if `#` stands for the parent.
    private let needsTail: Bool

    /// - Parameters:
    ///   - from: The side that topics are matched with.
    ///   - to: The side that they become.
    init(from: TopicPattern, to: TopicPattern, numbers: inout LevelNumbers) {
        levels = from.levels.map { numbers.number(of: $0) }
        firstWildcard = from.levels.firstIndex { $0 == .single || $0 == .multi }
        fillsFirstLevel = to.levels.first == .single || to.levels.first == .multi
        fillsOneLevel = to.levels == [.single]
        fillsLevelAndTail = to.levels == [.single, .multi]
        fillsTail = to.levels == [.multi]
        needsTail = to.levels == [.literal(""), .multi]
    }

    private var hasTail: Bool { levels.last == LevelNumbers.multi }

    /// Whether a topic with `level` at `position`, after levels that the route took so far, can still be one of the route.
    /// Changes `progress` if it can.
    func continues(_ progress: inout Progress, with level: Int, at position: Int, _ numbers: LevelNumbers) -> Bool {
        guard position < levels.count else { return hasTail }
        let own = levels[position]
        guard own == LevelNumbers.single || own == LevelNumbers.multi else { return own == level }
        if position == 0, numbers.beginsWithDollar(level) { return false }
        guard position == firstWildcard else { return true }
        if fillsFirstLevel, numbers.beginsWithDollar(level) { return false }
        guard level == LevelNumbers.empty else { return true }
        if fillsOneLevel { return false }
        progress.isCapturedEmpty = fillsLevelAndTail
        return true
    }

    /// Whether the route takes the topic that ends here, after `count` levels.
    func takes(_ progress: Progress, count: Int, isLastEmpty: Bool) -> Bool {
        guard hasTail else { return count == levels.count }
        if fillsTail { return count > levels.count || (count == levels.count && !isLastEmpty) }
        if needsTail || progress.isCapturedEmpty { return count >= levels.count }
        return count >= levels.count - 1
    }

    /// Whether the route may take everything that the other one takes. If not, a search need not look.
    func mayInclude(_ other: RouteLanguage) -> Bool {
        guard hasTail ? other.levels.count >= levels.count - 1 : other.levels.count == levels.count else {
            return false
        }
        for (position, (own, others)) in zip(levels, other.levels).enumerated() where own != LevelNumbers.multi {
            if others == LevelNumbers.multi {
                // The other `#` stands for one level at least, if it stands for no parent.
                return own == LevelNumbers.single && hasTail && position == levels.count - 2
            }
            guard own == LevelNumbers.single || own == others else { return false }
        }
        return true
    }

    /// Whether some topic could match both patterns, apart from what the other sides refuse.
    func overlaps(_ other: RouteLanguage, _ numbers: LevelNumbers) -> Bool {
        for position in 0..<max(levels.count, other.levels.count) {
            let own = position < levels.count ? levels[position] : LevelNumbers.none
            let others = position < other.levels.count ? other.levels[position] : LevelNumbers.none
            let isWild = own == LevelNumbers.multi || others == LevelNumbers.multi
            if position == 0, isWild || own == LevelNumbers.single || others == LevelNumbers.single,
                numbers.beginsWithDollar(own) || numbers.beginsWithDollar(others)
            {
                return false
            }
            if isWild { return true }
            guard own != LevelNumbers.none, others != LevelNumbers.none else { return false }
            guard own == others || own == LevelNumbers.single || others == LevelNumbers.single else { return false }
        }
        return true
    }
}

/// Gives each text of a level a number.
struct LevelNumbers {
    static let none = -3
    static let multi = -2
    static let single = -1
    static let empty = 0
    /// A level that no route names.
    static let unnamed = Int.max
    /// A level that begins with `$` and that no route names.
    static let unnamedDollar = Int.max - 1

    private var numbers: [ExactText: Int] = [ExactText(text: ""): empty]
    private(set) var texts = [""]

    mutating func number(of level: TopicPattern.Level) -> Int {
        switch level {
        case .single: return Self.single
        case .multi: return Self.multi
        case .literal(let text):
            let key = ExactText(text: text)
            if let number = numbers[key] { return number }
            numbers[key] = texts.count
            texts.append(text)
            return texts.count - 1
        }
    }

    func beginsWithDollar(_ level: Int) -> Bool {
        if level == Self.unnamedDollar { return true }
        return texts.indices.contains(level) && texts[level].beginsWithDollar
    }
}

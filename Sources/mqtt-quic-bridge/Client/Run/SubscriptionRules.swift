import enum MQTTCodec.TopicFilter

/// Decides what `sub` does with each message.
struct SubscriptionRules: Sendable {
    /// What becomes of a message.
    struct Decision: Equatable, Sendable {
        var isPrinted = false
        /// Whether the broker is asked to forget this message, which it had kept.
        var isRemoved = false
        /// Whether this is the last message.
        var isLast = false
    }

    /// `-R`
    var ignoresRetained = false
    /// `--retained-only`: the first message that the broker had not kept is the end.
    var onlyRetained = false
    /// `--remove-retained`
    var removesRetained = false
    /// `-T`
    var filteredOut: [String] = []
    /// `-C`: the number of messages after which `sub` ends.
    var maximum: Int?
    /// `--random-filter`: how many of a thousand messages are printed.
    var chancePerMille = 1_000

    private(set) var count = 0
    private(set) var isAtEnd = false

    /// - Parameter random: 0 to 999.
    mutating func decide(topic: String, isRetained: Bool, random: Int = 0) -> Decision {
        if isAtEnd { return Decision(isLast: true) }
        if onlyRetained, !isRetained {
            isAtEnd = true
            return Decision(isLast: true)
        }
        if ignoresRetained, isRetained { return Decision() }
        if filteredOut.contains(where: { TopicFilter.matches($0, topic: topic) }) { return Decision() }
        count += 1
        isAtEnd = count == maximum
        return Decision(
            isPrinted: random < chancePerMille, isRemoved: removesRetained && isRetained, isLast: isAtEnd)
    }
}

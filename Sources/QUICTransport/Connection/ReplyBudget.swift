import NIOCore

/// Limits the answers to strangers to a number per second, of which a tenth may go out in one burst.
struct ReplyBudget {
    let perSecond: Int
    private let capacity: Int
    private var tokens: Int
    private var filledAt: NIODeadline?

    init(perSecond: Int) {
        self.perSecond = max(perSecond, 1)
        capacity = max(perSecond / 10, 1)
        tokens = capacity
    }

    /// Uses up one answer.
    /// - Returns: Whether one was left.
    mutating func take(at now: NIODeadline) -> Bool {
        let last = filledAt ?? now
        let interval = Int64(1_000_000_000 / perSecond)
        let earned = max((now - last).nanoseconds, 0) / max(interval, 1)
        if earned > 0 || filledAt == nil {
            tokens = min(capacity, tokens + Int(min(earned, Int64(capacity))))
            filledAt = tokens == capacity ? now : last + .nanoseconds(earned * interval)
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}

import NIOCore

/// Limits a rate. A burst of one second's worth is let through.
struct TokenBucket: Sendable {
    private let perSecond: Double
    private var tokens: Double
    private var filledAt: NIODeadline

    init(perSecond: Int, now: NIODeadline) {
        self.perSecond = Double(perSecond)
        tokens = Double(perSecond)
        filledAt = now
    }

    /// Takes a token, and returns whether it could.
    /// - Parameter credit: How many tokens the bucket may be short of. The debt is paid back by what comes in next.
    mutating func take(at now: NIODeadline, credit: Double = 0) -> Bool {
        let elapsed = Double(max((now - filledAt).nanoseconds, 0)) / 1e9
        filledAt = max(now, filledAt)
        tokens = min(tokens + elapsed * perSecond, perSecond)
        guard tokens - 1 >= -credit else { return false }
        tokens -= 1
        return true
    }
}

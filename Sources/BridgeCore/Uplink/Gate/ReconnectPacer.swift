import NIOCore

/// Spreads the devices that come back after a loss, so that a broker that has just returned is not hit by all of them
/// at once.
///
/// It is idle until ``disturbed(at:)``. From then on each device takes a token, and tokens come at a fixed rate, until
/// no further disturbance has come for ``recovery`` and no device has had to wait for ``calm``, however many devices
/// there are.
package struct ReconnectPacer: Sendable {
    /// Devices are expected to come back within this time after a loss.
    package static let recovery = TimeAmount.seconds(30)

    /// When no device has waited for this long, the devices that came back have all been served.
    package static let calm = TimeAmount.seconds(1)

    private struct Bucket: Sendable {
        var tokens: Double
        var refilledAt: NIODeadline
        var until: NIODeadline
    }

    private let perSecond: Double
    /// A tenth of a second's worth of tokens, so that the pace is even.
    private let burst: Double
    private var bucket: Bucket?

    /// - Parameter perSecond: Tokens per second, above 0; an event loop's share may be less than 1.
    package init(perSecond: Double) {
        self.perSecond = perSecond
        self.burst = max(perSecond / 10, 1)
    }

    /// A connection was lost or could not be made.
    package mutating func disturbed(at now: NIODeadline) {
        let until = now + Self.recovery
        if bucket == nil {
            bucket = Bucket(tokens: burst, refilledAt: now, until: until)
        } else {
            bucket?.until = until
        }
    }

    /// `nil` if the next device may go now, after which ``took()`` must be called; otherwise when to ask again.
    package mutating func next(at now: NIODeadline) -> NIODeadline? {
        guard var bucket else { return nil }
        guard now < bucket.until else {
            self.bucket = nil
            return nil
        }
        let elapsed = max(Double((now - bucket.refilledAt).nanoseconds) / 1e9, 0)
        bucket.tokens = min(bucket.tokens + elapsed * perSecond, burst)
        bucket.refilledAt = max(now, bucket.refilledAt)
        defer { self.bucket = bucket }
        guard bucket.tokens < 1 else { return nil }
        let next = now + .nanoseconds(Int64((1 - bucket.tokens) / perSecond * 1e9) + 1)
        bucket.until = max(bucket.until, next + Self.calm)
        return next
    }

    /// A device has gone, which takes a token.
    package mutating func took() {
        bucket?.tokens -= 1
    }
}

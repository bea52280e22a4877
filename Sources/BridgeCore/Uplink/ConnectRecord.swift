import NIOCore

/// Whether the broker answers the CONNECT packets of devices, on connections that stand.
package struct ConnectRecord: Sendable, Equatable {
    /// A single device may itself be the reason why its connection ended without an answer.
    private static let enough = 2

    /// When the broker last answered one, in whatever way.
    private var answeredAt = NIODeadline.distantPast
    /// When it last did not.
    private var failedAt = NIODeadline.distantPast
    /// How many it has not answered since it last answered one.
    private var failures = 0
    /// When the first of these failed; `nil` if there is none.
    package private(set) var failedSince: NIODeadline?

    package init() {}

    /// Notes what a CONNECT came to. What the bridge itself refused says nothing about the broker.
    package mutating func count(_ outcome: ConnectOutcome, at now: NIODeadline) {
        switch outcome {
        case .accepted, .refusedByBrokerAuthorization, .refusedByBrokerBusy, .refusedByBrokerOther:
            answeredAt = now
            failures = 0
            failedSince = nil
        case .unreachable, .timeout:
            failedAt = now
            failures += 1
            if failedSince == nil { failedSince = now }
        case .refusedHereCredentials, .refusedHereRule, .refusedHereLimit, .refusedHereProtocol, .abandoned:
            break
        }
    }

    /// Whether the last ones were not answered, and lately.
    package func isFailing(at now: NIODeadline) -> Bool {
        failures >= Self.enough && failedAt + UplinkRecord.memory > now
    }

    /// The record of two event loops: an answer on one of them settles what failed earlier on the other.
    package static func + (left: Self, right: Self) -> Self {
        var sum = Self()
        sum.answeredAt = max(left.answeredAt, right.answeredAt)
        for record in [left, right] where record.failedAt > sum.answeredAt {
            sum.failedAt = max(sum.failedAt, record.failedAt)
            sum.failures += record.failures
            sum.failedSince = [sum.failedSince, record.failedSince].compactMap { $0 }.min()
        }
        return sum
    }
}

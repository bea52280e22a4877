import DequeModule
import NIOCore

/// Client ids whose session has ended here and goes on for a moment at the broker: with DISCONNECT a session can be given a
/// last second, and brokers look once a second whether one is over.
///
/// Bounded: beyond ``capacity`` the oldest is forgotten.
package struct RecentClientIDs: Sendable {
    package static let capacity = 10_000
    package static let time = TimeAmount.seconds(3)

    private var until: [ExactText: NIODeadline] = [:]
    private var order: Deque<(key: ExactText, until: NIODeadline)> = []

    package init() {}

    package var count: Int { order.count }

    package mutating func insert(_ clientID: String, at now: NIODeadline) {
        let key = ExactText(text: clientID)
        until[key] = now + Self.time
        order.append((key, now + Self.time))
        while let first = order.first, first.until <= now || order.count > Self.capacity {
            order.removeFirst()
            // It may have come again.
            if until[first.key] == first.until { until[first.key] = nil }
        }
    }

    package func contains(_ clientID: String, at now: NIODeadline) -> Bool {
        until[ExactText(text: clientID)].map { $0 > now } ?? false
    }
}

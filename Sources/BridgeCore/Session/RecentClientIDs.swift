import DequeModule
import NIOCore

/// Client ids whose session has ended here but still exists for a moment at the broker: DISCONNECT can give a session a
/// last second, and brokers look only once a second whether a session is over.
///
/// Bounded: beyond ``capacity`` the oldest is forgotten.
package struct RecentClientIDs: Sendable {
    /// How many client ids are remembered.
    package static let capacity = 10_000
    /// How long a client id is remembered: a second at the broker, and time for the way there and back.
    package static let time = TimeAmount.seconds(3)

    private var until: [ExactText: NIODeadline] = [:]
    private var order: Deque<(key: ExactText, until: NIODeadline)> = []

    package init() {}

    /// How many client ids are remembered.
    package var count: Int { order.count }

    /// The session of the client id has ended here.
    package mutating func insert(_ clientID: String, at now: NIODeadline) {
        let key = ExactText(text: clientID)
        until[key] = now + Self.time
        order.append((key, now + Self.time))
        while let first = order.first, first.until <= now || order.count > Self.capacity {
            order.removeFirst()
            // The client id may have been inserted again meanwhile.
            if until[first.key] == first.until { until[first.key] = nil }
        }
    }

    /// Whether the broker may still have the session.
    package func contains(_ clientID: String, at now: NIODeadline) -> Bool {
        until[ExactText(text: clientID)].map { $0 > now } ?? false
    }
}

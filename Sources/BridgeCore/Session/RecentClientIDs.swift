import HeapModule
import NIOCore

/// Client ids whose session has ended here, while the broker may still have it although its device asked for no session
/// that outlives its connection: see ``DeviceSession/afterlife``.
///
/// Bounded: beyond ``capacity``, the one that would be forgotten next is forgotten early. Its device may then find its
/// earlier session at the broker, as far as the broker still has it; no session is lost by that.
package struct RecentClientIDs: Sendable {
    /// How many client ids are remembered. With client ids of usual length they take about 10 MB together.
    package static let capacity = 50_000

    /// A longer client id, in bytes, is not remembered.
    package static let longest = 1_024
    /// How many client ids are forgotten when one comes.
    private static let portion = 16

    private struct Entry: Comparable, Sendable {
        let until: NIODeadline
        let key: ExactText

        static func < (left: Entry, right: Entry) -> Bool {
            left.until < right.until
        }
    }

    private var until: [ExactText: NIODeadline] = [:]
    /// Tells which one is forgotten next. An entry that ``until`` does not confirm is stale. Stale entries are removed
    /// before they outnumber the others by 64.
    private var order = Heap<Entry>()

    package init() {}

    /// How many client ids are remembered.
    package var count: Int { until.count }

    /// How many entries tell when a client id is forgotten, with the stale ones.
    var entryCount: Int { order.count }

    /// The session of the client id has ended here, and the broker may have it for that time.
    package mutating func insert(_ clientID: String, for time: TimeAmount, at now: NIODeadline) {
        guard clientID.utf8.count <= Self.longest else { return }
        let key = ExactText(text: clientID)
        let deadline = now + time
        guard until[key].map({ $0 < deadline }) ?? true else { return }
        until[key] = deadline
        order.insert(Entry(until: deadline, key: key))
        // All event loops wait meanwhile, so what has expired is removed in small portions.
        var portion = Self.portion
        while let first = order.min, until.count > Self.capacity || (first.until <= now && portion > 0) {
            order.removeMin()
            portion -= 1
            if until[first.key] == first.until { until[first.key] = nil }
        }
        if order.count > 2 * until.count + 64 {
            order = Heap(until.map { Entry(until: $0.value, key: $0.key) })
        }
    }

    /// The broker has another session of the client id by now.
    package mutating func remove(_ clientID: String) {
        until[ExactText(text: clientID)] = nil
    }

    /// Whether the broker may still have the session.
    package func contains(_ clientID: String, at now: NIODeadline) -> Bool {
        until[ExactText(text: clientID)].map { $0 > now } ?? false
    }
}

import HeapModule
import NIOCore

/// When which of many things (the connections of an endpoint, say) has to be looked at next: one heap for all.
///
/// Deadlines mostly move later (every packet does that), so an entry stays where it is and is compared with the present
/// deadline only when it comes up. An entry that was replaced by an earlier one is stale, and stale entries are swept
/// before they outnumber the live ones: the heap holds at most `2 * things + 64` entries.
package struct DeadlineQueue {
    private struct Entry: Comparable {
        let deadline: NIODeadline
        let key: ObjectIdentifier

        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline < right.deadline
        }
    }

    private var heap = Heap<Entry>()
    /// The entry that counts, for each thing that has one.
    private var scheduled: [ObjectIdentifier: NIODeadline] = [:]

    package init() {}

    /// The earliest time at which anything may be due. Never later than the earliest deadline.
    package var earliest: NIODeadline? {
        heap.min?.deadline
    }

    /// Makes sure that it comes up at `deadline` or before.
    package mutating func update(_ key: ObjectIdentifier, deadline: NIODeadline?) {
        guard let deadline else {
            scheduled[key] = nil
            return
        }
        if let present = scheduled[key], present <= deadline { return }
        scheduled[key] = deadline
        heap.insert(Entry(deadline: deadline, key: key))
        if heap.count > 2 * scheduled.count + 64 { sweep() }
    }

    package mutating func remove(_ key: ObjectIdentifier) {
        scheduled[key] = nil
        if scheduled.isEmpty { heap = Heap() }
    }

    /// The next whose entry is at `now` or before. It has no entry any more: update it.
    package mutating func popDue(at now: NIODeadline) -> ObjectIdentifier? {
        while let entry = heap.min, entry.deadline <= now {
            heap.removeMin()
            if scheduled[entry.key] == entry.deadline {
                scheduled[entry.key] = nil
                return entry.key
            }
        }
        return nil
    }

    private mutating func sweep() {
        heap = Heap(heap.unordered.filter { scheduled[$0.key] == $0.deadline })
    }

    /// For tests of the bound.
    var entryCount: Int { heap.count }
}

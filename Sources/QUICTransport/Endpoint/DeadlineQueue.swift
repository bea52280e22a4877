import HeapModule
import NIOCore

/// One heap that tells which of many things, for example the connections of an endpoint, is due next.
///
/// Most deadlines move later, with every packet, so an entry stays where it is and is compared with the current
/// deadline only when it comes up. An entry that was replaced by an earlier one is stale. Stale entries are removed
/// before they outnumber the live ones: the heap holds at most `2 * things + 64` entries.
package struct DeadlineQueue<Key: Hashable> {
    private struct Entry: Comparable {
        let deadline: NIODeadline
        let key: Key

        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline < right.deadline
        }
    }

    private var heap = Heap<Entry>()
    /// The valid entry of each thing that has one.
    private var scheduled: [Key: NIODeadline] = [:]

    package init() {}

    /// The earliest time at which anything may be due, never later than the earliest deadline. `nil` if nothing ever
    /// is.
    package var earliest: NIODeadline? {
        heap.min?.deadline
    }

    /// Makes sure that the thing comes up at `deadline` or before. With `nil` it need not come up.
    package mutating func update(_ key: Key, deadline: NIODeadline?) {
        guard let deadline else {
            scheduled[key] = nil
            return
        }
        if let current = scheduled[key], current <= deadline { return }
        scheduled[key] = deadline
        heap.insert(Entry(deadline: deadline, key: key))
        if heap.count > 2 * scheduled.count + 64 { sweep() }
    }

    /// The thing exists no more.
    package mutating func remove(_ key: Key) {
        scheduled[key] = nil
        if scheduled.isEmpty { heap = Heap() }
    }

    /// Takes the next thing whose entry is at `now` or before; `nil` if there is none. Its entry is gone: if its real
    /// deadline is later, `update` it.
    package mutating func popDue(at now: NIODeadline) -> Key? {
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

    /// Lets tests check the bound.
    var entryCount: Int { heap.count }
}

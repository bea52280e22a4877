import NIOCore

/// A line of values that wait, in order, each known by a key. A value that leaves the line is found without a search,
/// so that thousands can leave at the same moment.
///
/// The entry of a value that has left stays until it comes to the front, or until such entries outnumber the others.
package struct WaitingLine<Key: Hashable, Value> {
    private struct Entry {
        let key: Key
        let number: UInt64
        let value: Value
    }

    private var entries = CircularBuffer<Entry>()
    /// The number of the entry that counts for each key.
    private var numbers: [Key: UInt64] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    package var count: Int { numbers.count }
    package var isEmpty: Bool { numbers.isEmpty }
    package var first: Value? { entries.first?.value }
    /// The values, in order.
    package var all: [Value] { entries.lazy.filter { numbers[$0.key] == $0.number }.map(\.value) }
    /// The number of entries in memory, including those of values that have left.
    var entryCount: Int { entries.count }

    /// Puts the value at the end. If the key is in the line already, its previous entry no longer counts.
    package mutating func append(_ key: Key, _ value: Value) {
        entries.append(makeEntry(key, value))
        tidy()
    }

    /// Puts the value at the front. If the key is in the line already, its previous entry no longer counts.
    package mutating func prepend(_ key: Key, _ value: Value) {
        entries.prepend(makeEntry(key, value))
        tidy()
    }

    private mutating func makeEntry(_ key: Key, _ value: Value) -> Entry {
        lastNumber += 1
        numbers[key] = lastNumber
        return Entry(key: key, number: lastNumber, value: value)
    }

    /// Removes the first value. Does nothing if the line is empty.
    package mutating func removeFirst() {
        guard let key = entries.first?.key else { return }
        remove(key)
    }

    /// Returns whether the key was in the line.
    @discardableResult
    package mutating func remove(_ key: Key) -> Bool {
        guard numbers.removeValue(forKey: key) != nil else { return false }
        tidy()
        return true
    }

    /// Makes sure that the first entry is one that counts.
    private mutating func tidy() {
        while let first = entries.first, numbers[first.key] != first.number { entries.removeFirst() }
        guard entries.count > 2 * numbers.count + 16 else { return }
        entries = CircularBuffer(entries.filter { numbers[$0.key] == $0.number })
    }
}

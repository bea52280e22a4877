import NIOCore

/// Those who wait for something, in order, each known by a key: whoever leaves the line is found without a search, so
/// that thousands may leave it in the same moment.
///
/// The entry of one that has left stays until it comes to the front, or there are more of these than of the others.
package struct WaitingLine<Key: Hashable, Value> {
    private struct Entry {
        let key: Key
        let number: UInt64
        let value: Value
    }

    private var entries = CircularBuffer<Entry>()
    /// Which entry of a key counts.
    private var numbers: [Key: UInt64] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    package var count: Int { numbers.count }
    package var isEmpty: Bool { numbers.isEmpty }
    package var first: Value? { entries.first?.value }
    /// In order.
    package var all: [Value] { entries.lazy.filter { numbers[$0.key] == $0.number }.map(\.value) }
    /// Entries in memory, with those of whoever has left.
    var entryCount: Int { entries.count }

    /// Whoever is in the line already leaves its place for the last one.
    package mutating func append(_ key: Key, _ value: Value) {
        entries.append(makeEntry(key, value))
        tidy()
    }

    /// Whoever is in the line already leaves its place for the first one.
    package mutating func prepend(_ key: Key, _ value: Value) {
        entries.prepend(makeEntry(key, value))
        tidy()
    }

    private mutating func makeEntry(_ key: Key, _ value: Value) -> Entry {
        lastNumber += 1
        numbers[key] = lastNumber
        return Entry(key: key, number: lastNumber, value: value)
    }

    package mutating func removeFirst() {
        guard let key = entries.first?.key else { return }
        remove(key)
    }

    /// Answers whether it was in the line.
    @discardableResult
    package mutating func remove(_ key: Key) -> Bool {
        guard numbers.removeValue(forKey: key) != nil else { return false }
        tidy()
        return true
    }

    /// The first entry is always one that counts.
    private mutating func tidy() {
        while let first = entries.first, numbers[first.key] != first.number { entries.removeFirst() }
        guard entries.count > 2 * numbers.count + 16 else { return }
        entries = CircularBuffer(entries.filter { numbers[$0.key] == $0.number })
    }
}

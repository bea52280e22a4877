/// Things of one event loop, for example devices, in the order of their numbers.
///
/// It can be read in turns between which things come and go: a turn continues behind the number at which the previous
/// one stopped. A thing costs 16 bytes (24 if it is an existential), or up to twice as much while the list has room to
/// grow; those that have left are taken out together once they are half of the list.
package struct NumberedBook<Element> {
    private struct Entry {
        let id: UInt64
        /// `nil` once it has left.
        var element: Element?
    }

    /// In ascending order of their numbers.
    private var entries: [Entry] = []
    /// How many things there are.
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// Adds a thing under a number that has never been used.
    package mutating func add(_ element: Element, _ id: UInt64) {
        let entry = Entry(id: id, element: element)
        count += 1
        // Numbers are usually taken in the order in which things come.
        guard let last = entries.last, last.id > id else { return entries.append(entry) }
        entries.insert(entry, at: place(of: id))
    }

    /// Returns what had the number; `nil` if nothing has it.
    @discardableResult
    package mutating func remove(_ id: UInt64) -> Element? {
        let index = place(of: id)
        guard index < entries.count, entries[index].id == id, let element = entries[index].element else { return nil }
        entries[index].element = nil
        count -= 1
        if count == 0 { entries = [] } else if entries.count >= 64, entries.count > 2 * count { compact() }
        return element
    }

    private mutating func compact() {
        entries = entries.filter { $0.element != nil }
    }

    package subscript(id: UInt64) -> Element? {
        let index = place(of: id)
        return index < entries.count && entries[index].id == id ? entries[index].element : nil
    }

    /// All of them, for what concerns each of them at once.
    package var all: [Element] { entries.compactMap(\.element) }

    /// Calls `body` with the things behind a number, in their order, until it returns `false` or `limit` places of the
    /// list have been looked at.
    ///
    /// - Returns: The number behind which the next turn continues; `nil` if the end was reached or `body` has enough.
    package func turn(after id: UInt64, limit: Int, _ body: (Element) -> Bool) -> UInt64? {
        let start = id == .max ? entries.count : place(of: id + 1)
        let end = min(start + max(limit, 1), entries.count)
        for index in start..<end {
            if let element = entries[index].element, !body(element) { return nil }
        }
        return end < entries.count ? entries[end - 1].id : nil
    }

    /// The index of the first entry whose number is not smaller.
    private func place(of id: UInt64) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Entries by packet identifier. Unlike a dictionary it spends almost nothing on hashing, because every message is looked
/// up several times.
///
/// A table that has never had an entry uses no memory. Where places collide, the next ones are searched. The hash depends
/// on a random number, so that a device can't choose identifiers that collide.
struct PacketTable<Value: Sendable>: Sendable {
    /// The identifiers plus 1, by place; 0 means that nothing is there. The number of places is 0 or a power of two.
    private var places: [UInt32] = []
    private var entries: [Value?] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(packetID: UInt16) -> Value? {
        get { place(of: packetID).flatMap { entries[$0] } }
        _modify {
            guard let place = place(of: packetID) else {
                var value: Value?
                yield &value
                if let value { insert(value, packetID) }
                return
            }
            yield &entries[place]
            if entries[place] == nil { vacate(place) }
        }
    }

    /// Whether there is an entry under that identifier.
    func contains(_ packetID: UInt16) -> Bool { place(of: packetID) != nil }

    @discardableResult
    mutating func removeValue(forKey packetID: UInt16) -> Value? {
        guard let place = place(of: packetID) else { return nil }
        var value: Value?
        swap(&value, &entries[place])
        vacate(place)
        return value
    }

    private mutating func insert(_ value: Value, _ packetID: UInt16) {
        if 4 * (count + 1) > 3 * places.count { grow() }
        let mask = places.count - 1
        var place = home(of: packetID)
        while places[place] != 0 { place = (place + 1) & mask }
        places[place] = UInt32(packetID) + 1
        entries[place] = value
        count += 1
    }

    private mutating func grow() {
        let previous = zip(places, entries)
        let capacity = Swift.max(4, 2 * places.count)
        places = Array(repeating: 0, count: capacity)
        entries = Array(repeating: nil, count: capacity)
        count = 0
        for (mark, value) in previous {
            if mark != 0, let value { insert(value, UInt16(mark - 1)) }
        }
    }

    /// Empties a place whose entry is gone, and moves up those behind it that could otherwise no longer be found.
    private mutating func vacate(_ place: Int) {
        let mask = places.count - 1
        var gap = place
        var next = (gap + 1) & mask
        while places[next] != 0 {
            // How far the entry is from its home, and how far the gap is from it.
            if (next &- home(of: UInt16(places[next] - 1))) & mask >= (next &- gap) & mask {
                places[gap] = places[next]
                entries.swapAt(gap, next)
                gap = next
            }
            next = (next + 1) & mask
        }
        places[gap] = 0
        entries[gap] = nil
        count -= 1
    }

    private func place(of packetID: UInt16) -> Int? {
        guard count > 0 else { return nil }
        let mask = places.count - 1
        let mark = UInt32(packetID) + 1
        var place = home(of: packetID)
        while places[place] != mark {
            guard places[place] != 0 else { return nil }
            place = (place + 1) & mask
        }
        return place
    }

    /// Where an entry belongs, unless the place is taken.
    private func home(of packetID: UInt16) -> Int {
        // Fibonacci hashing: identifiers that follow one another, as they usually do, are spread evenly. A table has at
        // most 2^17 places, so that at least 15 bits are shifted out.
        let hash = UInt32(packetID ^ PacketHash.seed) &* 2_654_435_769
        return Int(hash >> UInt32(truncatingIfNeeded: places.count.leadingZeroBitCount &- 31))
    }
}

private enum PacketHash {
    static let seed = UInt16.random(in: .min ... .max)
}

extension PacketTable: Sequence {
    /// The entries in no particular order.
    func makeIterator() -> AnyIterator<(key: UInt16, value: Value)> {
        var remaining = zip(places, entries).makeIterator()
        return AnyIterator {
            while let (mark, value) = remaining.next() {
                if mark != 0, let value { return (UInt16(mark - 1), value) }
            }
            return nil
        }
    }

    var keys: [UInt16] { places.filter { $0 != 0 }.map { UInt16($0 - 1) } }
    var values: [Value] { entries.compactMap { $0 } }
}

/// The SUBSCRIBE or UNSUBSCRIBE packets whose answers will have to be put together, and which of the broker's codes
/// belong to which of the device's filters.
struct PendingFilters: Sendable {
    /// One filter of the device.
    enum Entry: Sendable, Equatable {
        /// The bridge answers the filter with this code.
        case local(UInt8)
        /// The filter became this many remote filters, at least one.
        case remote(UInt16)
        /// The same, and the device asked for no more than this QoS, while the broker was asked for more.
        case limited(UInt16, to: UInt8)
    }

    enum Addition: Equatable {
        case added
        /// The packet identifier belongs to another packet that has not been answered yet.
        case identifierInUse
        case full
    }

    private struct Packet {
        var entries: [Entry]
        /// How many answers are due: more than 1 if the device sent the packet again, as 3.1 allows.
        var awaited = 1
    }

    /// How many of the device's filters may wait for an answer at once, over all packets.
    static let maximumEntries = 65_536

    private var packets: [UInt16: Packet] = [:]
    private(set) var entryCount = 0

    var isEmpty: Bool { packets.isEmpty }

    func isWaiting(for packetID: UInt16) -> Bool { packets[packetID] != nil }

    mutating func add(_ entries: [Entry], packetID: UInt16) -> Addition {
        if var packet = packets[packetID] {
            guard packet.entries == entries, packet.awaited < Self.maximumEntries else {
                return .identifierInUse
            }
            packet.awaited += 1
            packets[packetID] = packet
            return .added
        }
        guard entryCount + entries.count <= Self.maximumEntries else {
            return .full
        }
        entryCount += entries.count
        packets[packetID] = Packet(entries: entries)
        return .added
    }

    /// Removes and returns the entries of a packet that is being answered; `nil` if the answer can be passed unchanged.
    mutating func take(_ packetID: UInt16) -> [Entry]? {
        guard var packet = packets.removeValue(forKey: packetID) else {
            return nil
        }
        if packet.awaited > 1 {
            packet.awaited -= 1
            packets[packetID] = packet
        } else {
            entryCount -= packet.entries.count
        }
        return packet.entries
    }

    /// Returns one code for each entry, or `nil` if the broker answered more or fewer filters than it was sent.
    /// - Parameter merge: Makes the code of one entry from the codes of its remote filters, of which there is at least
    ///   one.
    static func merge(
        _ codes: [UInt8], for entries: [Entry], by merge: (ArraySlice<UInt8>) -> UInt8?
    ) -> [UInt8]? {
        var rest = codes[...]
        var merged: [UInt8] = []
        merged.reserveCapacity(entries.count)
        for entry in entries {
            let (count, limit): (Int, UInt8)
            switch entry {
            case .local(let code):
                merged.append(code)
                continue
            case .remote(let ways): (count, limit) = (Int(ways), .max)
            case .limited(let ways, let most): (count, limit) = (Int(ways), most)
            }
            let own = rest.prefix(count)
            guard own.count == count, let code = merge(own) else {
                return nil
            }
            merged.append(code < 0x80 ? min(code, limit) : code)
            rest = rest.dropFirst(count)
        }
        return rest.isEmpty ? merged : nil
    }
}

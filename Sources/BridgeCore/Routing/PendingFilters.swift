/// SUBSCRIBE or UNSUBSCRIBE packets whose answer will have to be put together: which of the broker's codes belong to
/// which filter of the device.
struct PendingFilters: Sendable {
    /// One filter of the device.
    enum Entry: Sendable, Equatable {
        /// Answered here, with this code.
        case local(UInt8)
        /// Asked for as that many remote filters, one or more.
        case remote(UInt16)
    }

    enum Addition: Equatable {
        case added
        /// The packet id belongs to another packet that is not answered yet.
        case identifierInUse
        case full
    }

    private struct Packet {
        var entries: [Entry]
        /// More than 1 where the device sent the same packet again (as 3.1 lets it), each to be answered.
        var awaited = 1
    }

    /// Filters of the device that may be waiting at once, in all packets together.
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

    /// What the packet with that id was made of; `nil` where its answer needs no work.
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

    /// One code for each entry: `merge` makes it of the codes of its remote filters, which are never none. `nil` where
    /// the broker answered more or fewer filters than it was sent.
    static func merge(
        _ codes: [UInt8], for entries: [Entry], by merge: (ArraySlice<UInt8>) -> UInt8?
    ) -> [UInt8]? {
        var rest = codes[...]
        var merged: [UInt8] = []
        merged.reserveCapacity(entries.count)
        for entry in entries {
            switch entry {
            case .local(let code):
                merged.append(code)
            case .remote(let count):
                let own = rest.prefix(Int(count))
                guard own.count == Int(count), let code = merge(own) else {
                    return nil
                }
                merged.append(code)
                rest = rest.dropFirst(Int(count))
            }
        }
        return rest.isEmpty ? merged : nil
    }
}

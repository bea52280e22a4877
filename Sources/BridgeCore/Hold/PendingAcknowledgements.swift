import MQTTCodec

/// The acknowledgements of the device that wait until the leg answers, in the order in which they came. There is one
/// per packet identifier and type, however often the device repeats it.
struct PendingAcknowledgements: Sendable {
    /// Bytes that one of them takes here, including its place in the index.
    static let cost = 48

    private(set) var list: [PendingAcknowledgement] = []
    /// The place of each one in the list.
    private var places: [Key: Int] = [:]

    private struct Key: Hashable {
        let type: PacketType
        let packetID: UInt16
    }

    var isEmpty: Bool { list.isEmpty }
    var count: Int { list.count }

    /// Adds the acknowledgement, or updates the code of the one that is there. Returns whether it is new.
    mutating func add(_ acknowledgement: PendingAcknowledgement) -> Bool {
        let key = Key(type: acknowledgement.type, packetID: acknowledgement.packetID)
        if let place = places[key] {
            list[place].code = acknowledgement.code
            return false
        }
        places[key] = list.count
        list.append(acknowledgement)
        return true
    }
}

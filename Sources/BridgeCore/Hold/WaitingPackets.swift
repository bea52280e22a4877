import NIOCore

/// The packets of the device that wait for the leg, in their order. A queue in which no packet ever waited uses no
/// memory, because most sessions have one only for the time between a message and its acknowledgement.
struct WaitingPackets: Sendable {
    private var packets: CircularBuffer<Outgoing>?

    init() {}

    init(_ packets: some Sequence<Outgoing>) {
        self.packets = CircularBuffer(packets)
    }

    var isEmpty: Bool { packets?.isEmpty ?? true }

    var first: Outgoing? { packets?.first }

    mutating func append(_ packet: Outgoing) {
        if packets == nil { packets = CircularBuffer(initialCapacity: 1) }
        packets?.append(packet)
    }

    /// - Precondition: The queue is not empty.
    mutating func removeFirst() {
        _ = packets?.removeFirst()
    }

    /// Takes the first packet for which the closure returns true out of its place.
    mutating func removeFirst(where matches: (Outgoing) -> Bool) -> Outgoing? {
        guard let index = packets?.firstIndex(where: matches) else { return nil }
        return packets?.remove(at: index)
    }

    /// Changes the first packet for which the closure returns true. Returns whether there is one.
    mutating func changeFirst(where matches: (Outgoing) -> Bool, _ change: (inout Outgoing) -> Void) -> Bool {
        guard let index = packets?.firstIndex(where: matches), var changed = packets else { return false }
        packets = nil
        change(&changed[index])
        packets = changed
        return true
    }

    /// Changes each packet in its place.
    mutating func changeAll(_ change: (inout Outgoing) -> Void) {
        guard var changed = packets else { return }
        packets = nil
        for index in changed.indices { change(&changed[index]) }
        packets = changed
    }
}

extension WaitingPackets: Sequence {
    func makeIterator() -> CircularBuffer<Outgoing>.Iterator {
        (packets ?? CircularBuffer(initialCapacity: 1)).makeIterator()
    }
}

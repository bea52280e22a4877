import MQTTCodec
import NIOCore

// What happens to the leg.
extension Ledger {
    /// Nothing more gets anywhere on the leg, or there is none.
    mutating func pause() {
        isOpen = false
    }

    /// The same leg goes on.
    mutating func resume(_ step: inout Step) {
        isOpen = true
        resumeLong(&step)
        sendPending(&step)
        flush(&step)
    }

    /// The leg is gone: what the broker has not finished waits again, before what never was sent.
    mutating func lose() {
        isOpen = false
        window = nil
        own = []
        ageDeliveries()
        let whole = restartLong()
        var first: [Outgoing] = []
        for (packetID, flow) in up.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            guard let kept = flow.kept else {
                up[packetID]?.isCounted = false
                continue
            }
            up[packetID] = nil
            var isRequest = false
            if case .requested = flow.stage { isRequest = true }
            first.append(
                Outgoing(kind: isRequest ? .request : .publish, packetID: packetID, packet: kept, wasSent: true))
        }
        if let whole { first.append(whole) }
        guard !first.isEmpty else { return }
        queue = CircularBuffer(first + queue)
    }

    /// How many packets would be sent again.
    var repeats: Int { queue.lazy.filter(\.wasSent).count + up.values.lazy.filter(\.isReleased).count }

    /// Another leg, and the broker still has the session (MQTT 5 4.4): everything goes on where it stood.
    mutating func rejoin(_ step: inout Step) {
        for index in queue.indices where queue[index].wasSent && queue[index].kind == .publish {
            queue[index].packet.mark(duplicate: true)
        }
        for (packetID, _) in up.filter({ $0.value.isReleased }).sorted(by: { $0.value.sequence < $1.value.sequence }) {
            step.up.append(acknowledgement(.pubrel, packetID))
        }
        takePending()
        isOpen = true
        flush(&step)
    }

    /// Another leg, and the broker has no session: messages are new to it. `requests` go before all else.
    mutating func startAnew(_ requests: [(packetID: UInt16, packet: ByteBuffer)], _ step: inout Step) {
        for index in queue.indices where queue[index].kind == .publish {
            queue[index].packet.mark(duplicate: false)
            queue[index].wasSent = false
        }
        for (packetID, flow) in up.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            // The broker had the message: that is all the device wants to hear.
            if case .released = flow.stage {
                forget(packetID)
                step.down.append(acknowledgement(.pubcomp, packetID))
            } else {
                setStage(.completed, of: packetID)
            }
        }
        orphanDeliveries(&step)
        for request in requests {
            own.insert(request.packetID)
            step.up.append(request.packet)
        }
        takePending()
        isOpen = true
        flush(&step)
    }

    /// Packet identifiers of the device's side that no packet of the device has now: for the bridge's own requests.
    func unusedIDs(_ count: Int) -> [UInt16] {
        guard count > 0 else { return [] }
        var used = Set(up.keys).union(queue.lazy.map(\.packetID))
        if let long { used.insert(long.packetID) }
        var unused: [UInt16] = []
        // From the end that devices reach last.
        for candidate in (1...UInt16.max).reversed() where !used.contains(candidate) {
            unused.append(candidate)
            if unused.count == count { break }
        }
        return unused
    }

    /// What a silent leg is given when the session ends: its packets in order, but no beginning of one that has no end.
    mutating func drain() -> (packets: [ByteBuffer], isInsidePacket: Bool) {
        var step = Step()
        if long?.hasBegun == false { long = nil }
        resume(&step)
        return (step.up, isInsidePacket)
    }
}

extension UpFlow {
    fileprivate var isReleased: Bool {
        switch stage {
        case .released, .releasedHere: true
        case .published, .received, .completed, .requested: false
        }
    }
}

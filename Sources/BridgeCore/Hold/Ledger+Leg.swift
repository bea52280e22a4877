import MQTTCodec
import NIOCore

// What happens to the leg.
extension Ledger {
    /// Nothing more arrives anywhere on the leg, or there is no leg.
    mutating func pause() {
        isOpen = false
    }

    /// The same leg answers again.
    mutating func resume(_ step: inout Step) {
        isOpen = true
        resumeLong(&step)
        sendPending(&step)
        flush(&step)
    }

    /// The leg is gone: what the broker has not finished waits again, before what was never sent.
    mutating func lose() {
        isOpen = false
        window = nil
        isWindowBrief = false
        own = []
        ageDeliveries()
        let whole = restartLong()
        var first: [Outgoing] = []
        for (packetID, flow) in up.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            up[packetID]?.isCounted = false
            up[packetID]?.isReleaseSent = false
            guard flow.stage == .published || flow.stage == .requested, let kept = flow.kept else { continue }
            let kind: Outgoing.Kind = flow.stage == .requested ? .request : .publish
            first.append(Outgoing(kind: kind, packetID: packetID, packet: kept, wasSent: true))
            putBack(packetID, flow, kept)
        }
        if let whole { first.append(whole) }
        guard !first.isEmpty else { return }
        queue = WaitingPackets(first + queue)
    }

    /// The packet waits in the queue, which is charged for it from now on. What the device knows about it is
    /// remembered.
    private mutating func putBack(_ packetID: UInt16, _ flow: UpFlow, _ packet: KeptPacket) {
        if flow.isReceiptTold || flow.isReleased {
            change(packetID) {
                $0.stage = .waiting
                $0.kept = nil
            }
        } else {
            forget(packetID)
        }
        share.charge(packet.cost)
    }

    /// How many packets would be sent again.
    func repeats(isSessionPresent: Bool) -> Int {
        queue.lazy.filter(\.wasSent).reduce(0) { count, _ in count + 1 }
            + up.values.lazy.filter { isSessionPresent ? $0.stage == .releasing : $0.isBetween && $0.kept != nil }.count
    }

    /// Another leg begins, and the broker still has the session (MQTT 5 4.4): everything continues from where it was.
    mutating func rejoin(_ step: inout Step) {
        queue.changeAll { if $0.wasSent, $0.kind == .publish { $0.packet.mark(duplicate: true) } }
        let releasing = up.filter { $0.value.stage == .releasing }
        for (packetID, _) in releasing.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            step.up.append(acknowledgement(.pubrel, packetID))
        }
        takePending()
        isOpen = true
        flush(&step)
    }

    /// Another leg begins, and the broker has no session, so all messages are new to it. `requests` go before
    /// everything else.
    mutating func startAnew(_ requests: [(packetID: UInt16, packet: ByteBuffer)], _ step: inout Step) {
        queue.changeAll {
            guard $0.kind == .publish else { return }
            $0.packet.mark(duplicate: false)
            $0.wasSent = false
        }
        var first: [Outgoing] = []
        for (packetID, flow) in up.sorted(by: { $0.value.sequence < $1.value.sequence }) where flow.isBetween {
            if var packet = flow.kept {
                packet.mark(duplicate: false)
                first.append(Outgoing(kind: .publish, packetID: packetID, packet: packet))
                putBack(packetID, flow, packet)
            } else {
                // The device only wants to hear that the broker had the message.
                bringToItsEnd(packetID, flow, &step)
            }
        }
        if !first.isEmpty { queue = WaitingPackets(first + queue) }
        orphanDeliveries(&step)
        for request in requests {
            own.insert(request.packetID)
            step.up.append(request.packet)
        }
        takePending()
        isOpen = true
        flush(&step)
    }

    /// Packet identifiers that no packet of the device has now, for the bridge's own requests.
    func unusedIDs(_ count: Int) -> [UInt16] {
        guard count > 0 else { return [] }
        var used = Set(up.keys).union(queue.lazy.map(\.packetID))
        if let long { used.insert(long.packetID) }
        var unused: [UInt16] = []
        // Taken from the end that devices reach last.
        for candidate in (1...UInt16.max).reversed() where !used.contains(candidate) {
            unused.append(candidate)
            if unused.count == count { break }
        }
        return unused
    }

    /// What a suspended leg is given when the session ends: its packets in order, but no beginning of a packet that has
    /// no end.
    mutating func drain() -> (packets: [ByteBuffer], isInsidePacket: Bool) {
        var step = Step()
        if long?.hasBegun == false { long = nil }
        resume(&step)
        return (Array(step.up), isInsidePacket)
    }
}

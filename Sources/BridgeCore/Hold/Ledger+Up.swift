import MQTTCodec
import NIOCore

// Messages and requests of the device.
extension Ledger {
    /// A PUBLISH, as this leg takes it and as any other would.
    ///
    /// - Parameter packetID: 0 at QoS 0.
    mutating func publish(
        _ packet: [ByteBuffer], full: [ByteBuffer], _ packetID: UInt16, isDuplicate: Bool, _ step: inout Step
    ) {
        guard mayGo(packetID, isPublish: true) else {
            // The device repeats what waits or is under way: it will be answered once.
            if isDuplicate, isKnown(packetID) { return }
            enqueue(
                Outgoing(
                    kind: packetID == 0 ? .atMostOnce : .publish, packetID: packetID, packet: KeptPacket(joining: full))
            )
            return releaseIfStuck(&step)
        }
        guard fits(packet.reduce(0) { $0 + $1.readableBytes }, &step) else { return }
        step.up += packet
        guard packetID != 0 else { return }
        if isDuplicate, let flow = up[packetID], flow.kept == nil, !flow.isUnkept { return }
        track(packetID, hasRoom ? .published(KeptPacket(joining: full)) : .published(nil))
    }

    /// SUBSCRIBE or UNSUBSCRIBE.
    mutating func request(_ packet: ByteBuffer, _ packetID: UInt16, _ step: inout Step) {
        let kept = KeptPacket(packet)
        guard mayGo(packetID, isPublish: false) else {
            enqueue(Outgoing(kind: .request, packetID: packetID, packet: kept))
            return releaseIfStuck(&step)
        }
        guard fits(packet.readableBytes, &step) else { return }
        step.up.append(packet)
        track(packetID, .requested(kept))
    }

    /// Takes note of what has been sent, and charges it.
    private mutating func track(_ packetID: UInt16, _ stage: UpFlow.Stage) {
        forget(packetID)
        sequence += 1
        var flow = UpFlow(sequence: sequence, stage: stage)
        share.charge(flow.cost)
        if flow.isUnkept { unkept += 1 }
        if case .published = stage {
            window?.sent()
            flow.isCounted = true
        }
        up[packetID] = flow
    }

    /// Takes a flow off the books, and what was kept for it.
    @discardableResult
    mutating func forget(_ packetID: UInt16) -> UpFlow? {
        guard let flow = up.removeValue(forKey: packetID) else { return nil }
        release(flow)
        return flow
    }

    private mutating func release(_ flow: UpFlow) {
        share.giveBack(flow.cost)
        if flow.isUnkept { unkept -= 1 }
    }

    /// The broker is done with a message.
    private mutating func finish(_ packetID: UInt16) {
        if forget(packetID)?.isCounted == true { window?.finished() }
    }

    mutating func setStage(_ stage: UpFlow.Stage, of packetID: UInt16) {
        guard var flow = up[packetID] else { return }
        release(flow)
        flow.stage = stage
        share.charge(flow.cost)
        up[packetID] = flow
    }

    private func isKnown(_ packetID: UInt16) -> Bool {
        packetID != 0 && (up[packetID] != nil || queue.contains { $0.kind == .publish && $0.packetID == packetID })
    }

    mutating func enqueue(_ outgoing: Outgoing) {
        share.charge(outgoing.packet.cost)
        queue.append(outgoing)
        guard dropsQoS0 else { return }
        while !hasRoom, let oldest = queue.firstIndex(where: { $0.kind == .atMostOnce }) {
            share.giveBack(queue.remove(at: oldest).packet.cost)
        }
    }

    /// Whether the broker takes a packet of that length.
    func fits(_ length: Int, _ step: inout Step) -> Bool {
        guard let maximumPacketSize, length > maximumPacketSize else { return true }
        step.isTooLarge = true
        return false
    }

    /// Sends what waits, as far as the window lets it: all of it, or up to a message that has to wait for one that is
    /// under way.
    mutating func flush(_ step: inout Step) {
        guard isOpen else { return }
        resumeLong(&step)
        guard !isInsidePacket else { return }
        while let next = queue.first, mayGoNext(next.packetID, isPublish: next.kind == .publish) {
            guard fits(next.packet.length, &step) else { return }
            queue.removeFirst()
            step.up += next.packet.buffers
            share.giveBack(next.packet.cost)
            switch next.kind {
            case .atMostOnce: break
            case .publish: track(next.packetID, .published(next.packet))
            case .request: track(next.packetID, .requested(next.packet))
            }
        }
        if queue.isEmpty { beginLong(&step) }
        releaseIfStuck(&step)
    }

    /// Messages wait for the window, which needs PUBREL to open, and PUBREL waits behind the device's messages, of which
    /// no more are read: so the bridge sends it. The broker has the message by then, and the device is told.
    mutating func releaseIfStuck(_ step: inout Step) {
        guard isOpen, window?.left == 0, !acceptsInput(isDeliveryBlocked: false) else { return }
        let waiting = up.filter { if case .received = $0.value.stage { true } else { false } }
        for (packetID, _) in waiting.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            setStage(.releasedHere, of: packetID)
            emit(acknowledgement(.pubrel, packetID), &step)
        }
    }
}

// What becomes of messages and requests.
extension Ledger {
    /// The device's PUBREL; `packet` is how it put it.
    mutating func deviceReleased(_ packet: ByteBuffer, _ packetID: UInt16, _ step: inout Step) {
        switch up[packetID]?.stage {
        case .completed:
            up[packetID] = nil
            step.down.append(acknowledgement(.pubcomp, packetID))
        case .releasedHere:
            setStage(.released, of: packetID)
        case .received, .released, .published, .requested, nil:
            if isOpen {
                emit(packet, &step)
            } else {
                keep(PendingAcknowledgement(type: .pubrel, packetID: packetID, code: 0))
            }
            if up[packetID] == nil {
                // It will be asked about on the next leg, too.
                track(packetID, .released)
            } else if case .received = up[packetID]?.stage {
                setStage(.released, of: packetID)
            }
        }
    }

    /// PUBACK. True where it concerns the device.
    mutating func brokerAcknowledged(_ packetID: UInt16) -> Bool {
        if case .published = up[packetID]?.stage { finish(packetID) }
        return true
    }

    /// PUBREC. True where it concerns the device.
    mutating func brokerReceived(_ packetID: UInt16, code: UInt8, _ step: inout Step) -> Bool {
        switch up[packetID]?.stage {
        case .published:
            if code < 0x80 {
                setStage(.received, of: packetID)
            } else {
                finish(packetID)
            }
            return true
        case .released, .releasedHere:
            // The answer to a repeated message; the device has gone on long since.
            if isOpen { emit(acknowledgement(.pubrel, packetID), &step) }
            return false
        case .received, .completed, .requested, nil:
            return true
        }
    }

    /// PUBCOMP. True where it concerns the device.
    mutating func brokerCompleted(_ packetID: UInt16) -> Bool {
        switch up[packetID]?.stage {
        case .released:
            finish(packetID)
            return true
        case .releasedHere:
            if up[packetID]?.isCounted == true { window?.finished() }
            up[packetID]?.isCounted = false
            setStage(.completed, of: packetID)
            return false
        case .published, .received, .completed, .requested, nil:
            return true
        }
    }

    /// SUBACK or UNSUBACK: what it answers.
    mutating func brokerAnswered(_ packetID: UInt16) -> KeptPacket? {
        guard case .requested(let packet) = up[packetID]?.stage else { return nil }
        forget(packetID)
        return packet
    }
}

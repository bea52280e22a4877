import MQTTCodec
import NIOCore

// Messages and requests of the device.
extension Ledger {
    /// A PUBLISH, in the form for this leg and in the form for any leg.
    ///
    /// - Parameters:
    ///   - packetID: 0 at QoS 0.
    ///   - expires: When the message is of no use any more.
    ///   - receipt: What the device gets once the message has gone out, if it has to wait.
    mutating func publish(
        _ packet: BufferList, full: BufferList, _ packetID: UInt16, isDuplicate: Bool, expires: NIODeadline,
        _ receipt: Receipt?, _ step: inout Step
    ) {
        // To the broker, whose part is over, the message would be another one.
        guard !isFinished(packetID, isDuplicate: isDuplicate) else {
            return step.down.append(acknowledgement(.pubrec, packetID))
        }
        guard mayGo(packetID, isPublish: true) else {
            // The device repeats a message that waits or is in flight: it will be answered once.
            if isDuplicate, isKnown(packetID) { return }
            step.isReceiptWaiting = receipt != nil
            if let receipt, receipt.isRepeated, joins(receipt) { return }
            enqueue(
                Outgoing(
                    kind: packetID == 0 ? .atMostOnce : .publish, packetID: packetID,
                    packet: KeptPacket(joining: full, expires: expires), receipt: receipt))
            return releaseIfStuck(&step)
        }
        guard fits(packet.byteCount, &step) else { return }
        step.up += packet
        guard packetID != 0 else { return }
        if isDuplicate, up[packetID]?.isBetween == true { return }
        makeRoom()
        track(packetID, .published, hasRoom ? KeptPacket(joining: full, expires: expires) : nil)
    }

    /// SUBSCRIBE or UNSUBSCRIBE. One that is longer than what a session may keep is kept only if all sessions together have
    /// room for it.
    mutating func request(_ packet: ByteBuffer, _ packetID: UInt16, _ step: inout Step) {
        guard mayGo(packetID, isPublish: false) else {
            enqueue(Outgoing(kind: .request, packetID: packetID, packet: KeptPacket(packet)))
            return releaseIfStuck(&step)
        }
        guard fits(packet.readableBytes, &step) else { return }
        step.up.append(packet)
        let length = packet.readableBytes
        track(packetID, .requested, length <= buffer || share.budget.hasRoom(for: length) ? KeptPacket(packet) : nil)
    }

    /// Notes what has been sent, and charges it. A message that was further for the device than for the broker stays
    /// so.
    private mutating func track(
        _ packetID: UInt16, _ stage: UpFlow.Stage, _ kept: KeptPacket?, isRepeated: Bool = false
    ) {
        let old = forget(packetID)
        sequence += 1
        var flow = UpFlow(sequence: sequence, stage: stage, kept: kept)
        flow.isRepeated = isRepeated
        if let old, old.stage == .waiting, stage == .published {
            flow.isReceiptTold = old.isReceiptTold
            flow.isReleased = old.isReleased
        }
        if stage == .published {
            window?.sent()
            flow.isCounted = true
        }
        enter(flow, packetID)
    }

    /// Whether the device repeats a message of which only its own PUBREL is missing, which the bridge will answer.
    func isFinished(_ packetID: UInt16, isDuplicate: Bool) -> Bool {
        isDuplicate && up[packetID]?.stage == .completed
    }

    private func isKnown(_ packetID: UInt16) -> Bool {
        packetID != 0 && (up.contains(packetID) || queue.contains { $0.kind == .publish && $0.packetID == packetID })
    }

    mutating func enqueue(_ outgoing: Outgoing) {
        charge(outgoing.packet.cost)
        queue.append(outgoing)
        guard dropsQoS0 else { return }
        while !hasRoom, let oldest = queue.removeFirst(where: \.makesRoom) {
            share.giveBack(oldest.packet.cost)
            displaced += 1
        }
    }

    /// Whether the broker accepts a packet of that length.
    func fits(_ length: Int, _ step: inout Step) -> Bool {
        guard let maximumPacketSize, length > maximumPacketSize else { return true }
        step.isTooLarge = true
        return false
    }

    /// Sends what waits, as far as the window allows: everything, or up to a message that has to wait for one in
    /// flight.
    mutating func flush(_ step: inout Step) {
        guard isOpen else { return }
        step.displaced += displaced
        displaced = 0
        resumeLong(&step)
        guard !isInsidePacket else { return }
        while var next = queue.first {
            guard !isExpired(next) else {
                queue.removeFirst()
                expire(next, &step)
                continue
            }
            guard mayGoNext(next.packetID, isPublish: next.kind == .publish) else { break }
            guard fits(next.packet.length, &step) else { return }
            queue.removeFirst()
            next.packet.age(to: policy.now())
            step.up += next.packet.buffers
            share.giveBack(next.packet.cost)
            switch next.kind {
            case .atMostOnce: give(next.receipt, &step)
            case .publish: track(next.packetID, .published, next.packet, isRepeated: next.wasSent)
            case .request: track(next.packetID, .requested, next.packet)
            }
        }
        if queue.isEmpty { beginLong(&step) }
        releaseIfStuck(&step)
    }

    /// Messages wait for the window, the window needs PUBREL to open, and PUBREL waits behind messages of the device
    /// that are not read any more. So the bridge sends PUBREL itself. The broker has the message by then, and the
    /// device has been told.
    mutating func releaseIfStuck(_ step: inout Step) {
        guard isOpen, window?.left == 0, !acceptsInput(isDeliveryBlocked: false) else { return }
        let waiting = up.filter { $0.value.stage == .received }
        for (packetID, _) in waiting.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            change(packetID) { $0.stage = .releasing }
            emit(acknowledgement(.pubrel, packetID), &step)
        }
    }
}

// Answers to messages and requests.
extension Ledger {
    /// The device sent PUBREL; `packet` is what it sent.
    mutating func deviceReleased(_ packet: ByteBuffer, _ packetID: UInt16, _ step: inout Step) {
        guard let flow = up[packetID] else { return releasedUnknown(packet, packetID, &step) }
        switch flow.stage {
        case .completed:
            forget(packetID)
            step.down.append(acknowledgement(.pubcomp, packetID))
        case .waiting:
            // The broker is told when it has the message.
            change(packetID) { $0.isReleased = true }
        case .published where flow.isReceiptTold:
            change(packetID) { $0.isReleased = true }
        case .releasing where !flow.isReleased:
            // The bridge has told the broker already.
            change(packetID) { $0.isReleased = true }
        case .published:
            release(packet, packetID, &step)
            let isSent = isOpen
            change(packetID) {
                $0.isReleased = true
                $0.isReleaseSent = isSent
            }
        case .received:
            release(packet, packetID, &step)
            change(packetID) {
                $0.stage = .releasing
                $0.isReleased = true
            }
        case .releasing, .requested:
            release(packet, packetID, &step)
        }
    }

    private mutating func release(_ packet: ByteBuffer, _ packetID: UInt16, _ step: inout Step) {
        if isOpen {
            emit(packet, &step)
        } else {
            keep(PendingAcknowledgement(type: .pubrel, packetID: packetID, code: 0))
        }
    }

    /// Nothing is in flight with that identifier.
    private mutating func releasedUnknown(_ packet: ByteBuffer, _ packetID: UInt16, _ step: inout Step) {
        sequence += 1
        var flow = UpFlow(sequence: sequence, stage: .releasing)
        flow.isReleased = true
        if queue.contains(where: { $0.kind == .publish && $0.packetID == packetID }) {
            // The message itself still waits.
            flow.stage = .waiting
        } else {
            release(packet, packetID, &step)
            // The broker has to be asked about it on the next leg as well.
            flow.hasMessage = false
        }
        enter(flow, packetID)
    }

    /// The broker sent PUBACK. Returns whether the device gets it.
    mutating func brokerAcknowledged(_ packetID: UInt16) -> Bool {
        if !own.isEmpty, own.remove(packetID) != nil {
            window?.finished()
            if isWindowBrief { window = nil }
            isWindowBrief = false
            return false
        }
        if up[packetID]?.stage == .published { forget(packetID) }
        return true
    }

    /// The broker sent PUBREC. Returns whether the device gets it.
    mutating func brokerReceived(_ packetID: UInt16, code: UInt8, _ step: inout Step) -> Bool {
        guard let flow = up[packetID] else { return true }
        switch flow.stage {
        case .published:
            // EMQX answers a repetition like this if it has taken the message before: the message need not be repeated, and
            // the device, which knows of no repetition, has to hear that it was taken.
            let isTaken = flow.isRepeated && code == ReasonCode.packetIdentifierInUse.rawValue
            guard code < 0x80 || isTaken else { return refused(packetID, flow, &step) }
            let isPassedOn = isPassedOnAtOnce
            change(packetID) {
                $0.stage = flow.isReleased ? .releasing : .received
                $0.isReceiptTold = true
                guard isPassedOn else { return }
                $0.kept = nil
                $0.hasMessage = false
            }
            if flow.isReleased, !flow.isReleaseSent {
                release(acknowledgement(.pubrel, packetID), packetID, &step)
            }
            guard isTaken else { return !flow.isReceiptTold }
            if !flow.isReceiptTold { step.down.append(acknowledgement(.pubrec, packetID)) }
            return false
        case .releasing:
            // The device repeated the message itself before it sent PUBREL, and gets both answers.
            guard flow.isRepeated else { return true }
            // This answers a repetition of the bridge; the device is further already.
            if isOpen { emit(acknowledgement(.pubrel, packetID), &step) }
            return false
        case .received, .completed, .waiting, .requested:
            return true
        }
    }

    /// The broker refuses the message. If it had accepted the message before it lost the session, there is no way to
    /// tell the device, which has to finish the flow as it is.
    private mutating func refused(_ packetID: UInt16, _ flow: UpFlow, _ step: inout Step) -> Bool {
        guard flow.isReceiptTold else {
            forget(packetID)
            return true
        }
        bringToItsEnd(packetID, flow, &step)
        return false
    }

    /// Nothing more will come from the broker: the device is told PUBCOMP, now or when it asks.
    mutating func bringToItsEnd(_ packetID: UInt16, _ flow: UpFlow, _ step: inout Step) {
        forget(packetID)
        if flow.isReleased {
            step.down.append(acknowledgement(.pubcomp, packetID))
        } else {
            enter(UpFlow(sequence: flow.sequence, stage: .completed), packetID)
        }
    }

    /// The broker sent PUBCOMP. Returns whether the device gets it.
    mutating func brokerCompleted(_ packetID: UInt16) -> Bool {
        guard let flow = up[packetID], flow.isBetween else { return true }
        forget(packetID)
        guard flow.stage == .releasing else { return true }
        if !flow.isReleased { enter(UpFlow(sequence: flow.sequence, stage: .completed), packetID) }
        return flow.isReleased
    }

    /// The broker sent SUBACK or UNSUBACK. Returns the flow of the request that it answers.
    mutating func brokerAnswered(_ packetID: UInt16) -> UpFlow? {
        up[packetID]?.stage == .requested ? forget(packetID) : nil
    }
}

import MQTTCodec
import NIOCore

// A PUBLISH of the device that comes in pieces.
extension Ledger {
    /// - Parameters:
    ///   - head: The head for this leg.
    ///   - full: The head for any leg.
    ///   - payloadLength: Bytes that follow.
    ///   - packetID: 0 at QoS 0.
    ///   - expires: When the message is of no use any more.
    ///   - receipt: What the device gets once the message has gone out.
    mutating func begin(
        _ head: ByteBuffer, full: ByteBuffer, payloadLength: Int, _ packetID: UInt16, isDuplicate: Bool,
        expires: NIODeadline, receipt: Receipt? = nil, _ step: inout Step
    ) {
        var publish = LongPublish(length: full.readableBytes + payloadLength, packetID: packetID)
        publish.receipt = receipt
        if isFinished(packetID, isDuplicate: isDuplicate) {
            publish.isDropped = true
        } else if mayGo(packetID, isPublish: true) {
            guard fits(head.readableBytes + payloadLength, &step) else { return }
            step.up.append(head)
            publish.hasBegun = true
            forget(packetID)
            makeRoom()
            if packetID != 0 { window?.sent() }
            let cost = publish.length + KeptPacket.overhead
            if hasRoom(for: cost) {
                publish.kept = KeptPacket(full, expires: expires)
                publish.charged = cost
                publish.isReserved = true
                charge(cost)
            }
        } else {
            let kept = KeptPacket(full, expires: expires)
            publish.kept = kept
            publish.charged = kept.cost
            charge(kept.cost)
        }
        long = publish
    }

    mutating func piece(_ bytes: ByteBuffer, isLast: Bool, _ step: inout Step) {
        // It is taken out while it is changed: a second reference would have all pieces copied for each one.
        guard var publish = long.take() else { return }
        defer { if isLast { finishLong(&step) } else { releaseIfStuck(&step) } }
        guard !publish.isDropped else {
            long = publish
            return
        }
        let goes = isOpen && publish.hasBegun && publish.waiting.isEmpty
        publish.kept?.append(bytes)
        if goes {
            step.up.append(bytes)
        } else {
            if publish.hasBegun { publish.waiting.join(bytes) }
            if !publish.isReserved {
                publish.charged += bytes.readableBytes
                charge(bytes.readableBytes)
            }
        }
        long = publish
    }

    /// The last piece has come.
    private mutating func finishLong(_ step: inout Step) {
        guard let publish = long else { return }
        long = nil
        if publish.hasBegun {
            if publish.waiting.isEmpty { endLong(publish, &step) } else { tail = publish }
        } else if publish.isDropped {
            if publish.packetID != 0 { step.down.append(acknowledgement(.pubrec, publish.packetID)) }
        } else if let kept = publish.kept {
            share.giveBack(publish.charged)
            enqueue(publish.outgoing(kept))
        }
        flush(&step)
        releaseIfStuck(&step)
    }

    /// The whole packet has been sent.
    private mutating func endLong(_ publish: LongPublish, _ step: inout Step) {
        share.giveBack(publish.charged)
        if publish.packetID != 0 {
            sequence += 1
            var flow = UpFlow(sequence: sequence, stage: .published, kept: publish.kept)
            flow.isCounted = true
            forget(publish.packetID)
            enter(flow, publish.packetID)
        }
        give(publish.receipt, &step)
        step.up += behindLong
        behindLong = []
    }

    /// The leg answers again, and gets what came meanwhile.
    mutating func resumeLong(_ step: inout Step) {
        if let publish = tail {
            tail = nil
            step.up += publish.waiting
            endLong(publish, &step)
        }
        guard var publish = long, publish.hasBegun, !publish.waiting.isEmpty else { return }
        step.up += publish.waiting
        publish.waiting = []
        if !publish.isReserved {
            share.giveBack(publish.charged)
            publish.charged = 0
        }
        long = publish
    }

    /// Begins the packet on this leg while it is still coming in.
    mutating func beginLong(_ step: inout Step) {
        guard var publish = long, !publish.hasBegun, !publish.isDropped, var kept = publish.kept,
            mayGoNext(publish.packetID, isPublish: true), fits(publish.length, &step)
        else { return }
        publish.hasBegun = true
        kept.age(to: policy.now())
        publish.kept = kept
        step.up += kept.buffers
        if publish.packetID != 0 { window?.sent() }
        let cost = publish.length + KeptPacket.overhead
        if !publish.isReserved, hasRoom(for: cost - publish.charged) {
            charge(cost - publish.charged)
            publish.charged = cost
            publish.isReserved = true
        } else if !publish.isReserved {
            share.giveBack(publish.charged)
            publish.charged = 0
            publish.kept = nil
        }
        long = publish
    }

    /// The packet's leg is lost: the packet begins again, or the rest of it is thrown away.
    ///
    /// - Returns: a packet that has come in whole and has to be sent again.
    mutating func restartLong() -> Outgoing? {
        behindLong = []
        var whole: Outgoing?
        if let publish = tail {
            tail = nil
            share.giveBack(publish.charged)
            if let kept = publish.kept {
                charge(kept.cost)
                whole = publish.outgoing(kept)
            }
        }
        guard var publish = long, publish.hasBegun else { return whole }
        publish.hasBegun = false
        publish.waiting = []
        if publish.kept == nil {
            // This is QoS 0: a session with a message at QoS 1 or 2 would not be held.
            share.giveBack(publish.charged)
            publish.charged = 0
            publish.isDropped = true
        }
        long = publish
        return whole
    }
}

extension LongPublish {
    fileprivate func outgoing(_ kept: KeptPacket) -> Outgoing {
        Outgoing(kind: packetID == 0 ? .atMostOnce : .publish, packetID: packetID, packet: kept, receipt: receipt)
    }
}

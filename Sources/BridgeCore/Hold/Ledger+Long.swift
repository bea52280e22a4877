import MQTTCodec
import NIOCore

// A PUBLISH of the device that comes in pieces.
extension Ledger {
    /// - Parameters:
    ///   - head: As this leg takes it.
    ///   - full: As any leg would.
    ///   - payloadLength: Bytes that follow.
    ///   - packetID: 0 at QoS 0.
    mutating func begin(
        _ head: ByteBuffer, full: ByteBuffer, payloadLength: Int, _ packetID: UInt16, _ step: inout Step
    ) {
        var publish = LongPublish(length: full.readableBytes + payloadLength, packetID: packetID)
        if mayGo(packetID, isPublish: true) {
            guard fits(head.readableBytes + payloadLength, &step) else { return }
            step.up.append(head)
            publish.hasBegun = true
            forget(packetID)
            if packetID != 0 { window?.sent() }
            let cost = publish.length + KeptPacket.overhead
            if hasRoom(for: cost) {
                publish.kept = KeptPacket(full)
                publish.charged = cost
                publish.isReserved = true
                share.charge(cost)
            }
        } else {
            let kept = KeptPacket(full)
            publish.kept = kept
            publish.charged = kept.cost
            share.charge(kept.cost)
        }
        long = publish
    }

    mutating func piece(_ bytes: ByteBuffer, isLast: Bool, _ step: inout Step) {
        guard var publish = long else { return }
        publish.isComplete = isLast
        defer { if isLast { finishLong(&step) } }
        guard !publish.isDropped else {
            long = publish
            return
        }
        let piece = bytes.compacted
        let goes = isOpen && publish.hasBegun && publish.waiting.isEmpty
        publish.kept?.append(piece)
        if goes {
            step.up.append(bytes)
        } else {
            if publish.hasBegun { publish.waiting.append(piece) }
            if !publish.isReserved {
                publish.charged += piece.readableBytes
                share.charge(piece.readableBytes)
            }
        }
        long = publish
    }

    /// Its last piece has come.
    private mutating func finishLong(_ step: inout Step) {
        guard let publish = long, publish.isComplete else { return }
        if publish.isDropped {
            long = nil
        } else if publish.hasBegun {
            guard publish.waiting.isEmpty else { return }
            endLong(publish, &step)
        } else if let kept = publish.kept {
            long = nil
            let kind: Outgoing.Kind = publish.packetID == 0 ? .atMostOnce : .publish
            share.giveBack(publish.charged)
            enqueue(Outgoing(kind: kind, packetID: publish.packetID, packet: kept))
        }
        flush(&step)
    }

    /// All of it has been sent.
    private mutating func endLong(_ publish: LongPublish, _ step: inout Step) {
        long = nil
        share.giveBack(publish.charged)
        if publish.packetID != 0 {
            sequence += 1
            let flow = UpFlow(sequence: sequence, stage: .published(publish.kept))
            if let kept = publish.kept { share.charge(kept.cost) } else { unkept += 1 }
            forget(publish.packetID)
            up[publish.packetID] = flow
        }
        step.up += behindLong
        behindLong = []
    }

    /// The leg answers again: it gets what came meanwhile.
    mutating func resumeLong(_ step: inout Step) {
        guard var publish = long, publish.hasBegun else { return }
        step.up += publish.waiting
        publish.waiting = []
        if !publish.isReserved {
            share.giveBack(publish.charged)
            publish.charged = 0
        }
        long = publish
        if publish.isComplete { endLong(publish, &step) }
    }

    /// One that is still coming in, and has not begun on this leg.
    mutating func beginLong(_ step: inout Step) {
        guard var publish = long, !publish.hasBegun, !publish.isDropped, let kept = publish.kept,
            mayGoNext(publish.packetID, isPublish: true), fits(publish.length, &step)
        else { return }
        publish.hasBegun = true
        step.up += kept.buffers
        if publish.packetID != 0 { window?.sent() }
        let cost = publish.length + KeptPacket.overhead
        if !publish.isReserved, hasRoom(for: cost - publish.charged) {
            share.charge(cost - publish.charged)
            publish.charged = cost
            publish.isReserved = true
        } else if !publish.isReserved {
            share.giveBack(publish.charged)
            publish.charged = 0
            publish.kept = nil
        }
        long = publish
    }

    /// Its leg is lost: it begins again, or what follows of it is thrown away.
    mutating func restartLong() {
        guard var publish = long, publish.hasBegun else { return }
        behindLong = []
        publish.hasBegun = false
        publish.waiting = []
        if publish.kept == nil {
            // QoS 0: one at QoS 1 or 2 would not be held.
            share.giveBack(publish.charged)
            publish.charged = 0
            publish.isDropped = true
        }
        long = publish.isDropped && publish.isComplete ? nil : publish
    }
}

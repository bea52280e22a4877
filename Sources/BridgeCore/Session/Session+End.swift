import MQTTCodec
import NIOCore

// How a session ends: which side is told what, and which leg closes how.
extension Session {
    /// Where a session stands with the broker when it ends.
    private struct Standing {
        enum Leg {
            case none
            /// A leg has been asked for, and CONNECT has not gone out on it.
            case unused
            /// CONNECT has gone out, and the broker has not answered yet.
            case unanswered
            case answered
        }

        var leg = Leg.none
        /// `nil` if the device's version is not known, so that the bridge can say nothing in its name.
        var facts: DeviceFacts?
        /// What the leg is still given, in case the broker answers.
        var backlog: [ByteBuffer] = []
        /// Whether the leg is inside a packet, so that nothing can be sent behind it.
        var isInsidePacket = false
        /// Whether FIN has gone to the broker.
        var isFinished = false
    }

    private var standing: Standing {
        switch state {
        case .awaitingConnect, .reclaimingWill, .finishing, .ended:
            return Standing()
        case .connecting(let connecting):
            return Standing(leg: connecting.connect == nil ? .unanswered : .unused, facts: connecting.facts)
        case .connected:
            guard let device else { return Standing() }
            let (backlog, isInsidePacket) = device.lastOnLeg()
            let leg: Standing.Leg =
                switch device.hold?.phase {
                case .up, .suspended, nil: .answered
                case .awaitingUplink: .unused
                case .backingOff: .none
                case .returning: .unanswered
                }
            return Standing(leg: leg, facts: device.facts, backlog: backlog, isInsidePacket: isInsidePacket)
        case .unread(let unread):
            return Standing(
                leg: unread.connect != nil ? .unused : unread.isAnswered ? .answered : .unanswered,
                isInsidePacket: unread.up.isInsidePacket, isFinished: unread.isFinished)
        }
    }

    /// Ends the session. A 5.0 device is told if it sent a packet that the protocol forbids; the broker sees a lost
    /// connection and publishes the will ([MQTT-3.1.2-8]).
    mutating func end(_ ending: Ending) -> [SessionAction] {
        switch state {
        case .reclaimingWill: return ending.uplink == .open ? [] : reclaimingFailed(ending.uplink)
        case .finishing: return ending.uplink == .open ? [] : finished(ending)
        case .ended: return []
        case .awaitingConnect, .connecting, .connected, .unread: break
        }
        let standing = standing
        let device = device
        let timers = [SessionTimer.connectPacket, .uplinkConnect, .predecessor, .keepAlive]
        return timers.map { .stop($0) } + [.ended(ending.why)] + dismiss(ending, standing.facts, device)
            + closeUplink(ending, standing, device)
    }

    /// The session's end was decided before, and now its leg has ended too.
    private mutating func finished(_ ending: Ending) -> [SessionAction] {
        if case .finishing(let reclaiming?) = state, reclaiming.isDue(after: ending.why) {
            return hangUp() + [.stop(.goodbye)] + reclaim(reclaiming.connect)
        }
        state = .ended
        leftAtBroker(ending.why)
        return hangUp() + [.stop(.goodbye)] + (ending.uplink == .gone ? [] : [.closeUplink])
    }

    private mutating func closeUplink(
        _ ending: Ending, _ standing: Standing, _ device: ConnectedDevice?
    ) -> [SessionAction] {
        leaveAtBroker(device, ending.why)
        if ending.why.leavesWillBehind || device?.hasBeenClosed(ending.why) == true,
            let connect = device?.reclaimingConnect
        {
            return reclaim(connect)
        }
        state = .ended
        guard standing.leg != .none, ending.uplink != .gone else { return [] }
        // A CONNECT that is given up unanswered is followed by the end of its stream, and not of its connection: EMQX
        // 6.0.3 takes a session over for such a CONNECT, and loses it if the connection is gone before it has answered.
        guard ending.uplink == .open, standing.leg != .unused,
            standing.leg == .unanswered || !ending.why.isWithoutGoodbye
        else { return [.closeUplink] }
        state = .finishing(reclaiming: nil)
        var actions = standing.backlog.map { SessionAction.sendToUplink($0) }
        if !standing.isInsidePacket, !standing.isFinished, let farewell = goodbye(ending, standing.facts) {
            actions.append(.sendToUplink(farewell))
            // Behind an unanswered CONNECT, the end may be the broker's refusal.
            hasSaidGoodbye = standing.leg == .answered && device?.isHeld != true
        } else if standing.isInsidePacket, standing.leg == .answered, !ending.why.isWithoutWill,
            let connect = device?.reclaimingConnect
        {
            state = .finishing(reclaiming: Reclaim(connect: connect))
            return actions + [.start(.goodbye, after: Reclaim.caution)]
        }
        // Without DISCONNECT before it, FIN is a lost connection for the broker, and it publishes the will.
        return actions + (standing.isFinished ? [] : [.finishUplink]) + [.start(.goodbye, after: .goodbye)]
    }

    /// The last packet for the broker.
    private mutating func goodbye(_ ending: Ending, _ facts: DeviceFacts?) -> ByteBuffer? {
        guard let facts else { return ending.toBroker }
        if ending.why == .takenOver {
            // The session's successor has to find it as it is, unless the device did not ask for it.
            let borrowed = facts.returningBorrowedSession(nil, isWithoutWill: true).packet
            return (facts.hasBorrowedExpiry ? borrowed : nil) ?? Disconnect().encoded(facts.version)
        }
        guard facts.hasBorrowedExpiry else {
            return ending.toBroker ?? (ending.why.isWithoutWill ? Disconnect().encoded(facts.version) : nil)
        }
        let (packet, lingers) = facts.returningBorrowedSession(
            ending.toBroker, isWithoutWill: ending.why.isWithoutWill)
        lingersAtBroker = lingers
        return packet
    }
}

extension Disconnect {
    /// A DISCONNECT of the bridge's own can't exceed any length, so encoding it can't fail.
    fileprivate func encoded(_ version: MQTTVersion) -> ByteBuffer {
        (try? encode(version: version)) ?? ByteBuffer(bytes: [0xE0, 0x00])
    }
}

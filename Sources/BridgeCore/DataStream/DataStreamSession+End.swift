import MQTTCodec
import NIOCore

// How sessions end: what the device is told, how its stream ends, and what happens to its will.
extension DataStreamSession {
    mutating func end(_ ending: Ending) -> [SessionAction] {
        let leg: [SessionAction] = ending.uplink == .gone ? [] : [.closeUplink]
        switch state {
        case .awaitingConnect:
            return giveUp(ending, .connectPacket, nil)
        case .authenticating(_, let facts):
            return giveUp(ending, .uplinkConnect, facts)
        case .connecting(let connecting):
            return giveUp(ending, .uplinkConnect, connecting.facts) + leg
        case .connected:
            return device.map { leave($0, ending) } ?? []
        case .leaving, .reopening, .publishing, .finishing:
            // The device is gone already, and now the uplink leg is at its end.
            return ending.uplink == .open ? [] : hangUp() + legEnded(ending.why, leg)
        case .ended:
            return []
        }
    }

    /// Ends a session whose device is not connected.
    private mutating func giveUp(_ ending: Ending, _ timer: SessionTimer, _ facts: DeviceFacts?) -> [SessionAction] {
        state = .ended
        return [.stop(timer), .ended(ending.why)] + dismiss(ending, facts)
    }

    /// Ends the session of a connected device.
    private mutating func leave(_ device: ConnectedDevice, _ ending: Ending) -> [SessionAction] {
        var actions = [.stop(.keepAlive), .ended(ending.why)] + dismiss(ending, device.facts, device)
        var uplink = ending.uplink
        switch device.hold?.phase {
        case .up, .suspended, nil: break
        // There is no leg to end, only one that has been asked for.
        case .awaitingUplink, .backingOff, .returning: if uplink == .open { uplink = .useless }
        }
        var isInsidePacket = false
        if uplink == .open {
            let last = device.lastOnLeg()
            actions += last.backlog.map { .sendToUplink($0) }
            isInsidePacket = last.isInsidePacket
        }
        guard ending.will != .discarded, !ending.why.isWithoutWill, let will = device.gateway?.will else {
            return actions + part(from: uplink)
        }
        let version = device.facts.version.onDataStream
        let delay = ending.will == .dueNow ? 0 : will.delay
        if delay == 0, uplink == .open, !isInsidePacket {
            return actions + publish(will, version, packetID: device.unusedID)
        }
        actions += part(from: uplink)
        let leaving = Leaving(will: will, version: version, isLegOpen: uplink == .open, isDue: delay == 0)
        state = .leaving(leaving)
        guard leaving.isDue else { return actions + [.linger(atMost: .seconds(Int64(delay)))] }
        return actions + reopenIfReady(leaving)
    }

    /// A packet that FIN cuts off does not count: the broker takes what came before it, and the end.
    private mutating func part(from uplink: UplinkRemains) -> [SessionAction] {
        if uplink == .open { return finish() }
        state = .ended
        return uplink == .gone ? [] : [.closeUplink]
    }

    mutating func finish() -> [SessionAction] {
        state = .finishing
        return [.finishUplink, .start(.goodbye, after: .goodbye)]
    }
}

// MARK: - The will

extension DataStreamSession {
    mutating func publish(_ will: StoredWill, _ version: MQTTVersion, packetID: UInt16) -> [SessionAction] {
        let send = SessionAction.sendToUplink(will.publish(packetID))
        guard will.qos > .atMostOnce else { return [send] + finish() }
        state = .publishing(Publishing(version: version, packetID: packetID))
        return [send, .start(.goodbye, after: .goodbye)]
    }

    /// The will's delay is over or was cut short.
    mutating func willDue(_ leaving: Leaving, timer: [SessionAction]) -> [SessionAction] {
        var leaving = leaving
        leaving.isDue = true
        state = .leaving(leaving)
        return timer + reopenIfReady(leaving)
    }

    private mutating func reopenIfReady(_ leaving: Leaving) -> [SessionAction] {
        guard leaving.isDue, !leaving.isLegOpen else { return [] }
        state = .reopening(leaving.will, leaving.version)
        return [
            .start(.uplinkConnect, after: context.device.connectTimeout), .openDataStream(leaving.version),
        ]
    }

    /// The leg is at its end, and the device was gone before.
    private mutating func legEnded(_ why: SessionEnd, _ leg: [SessionAction]) -> [SessionAction] {
        switch state {
        case .leaving(var leaving):
            guard leaving.isLegOpen else { return [] }
            leaving.isLegOpen = false
            state = .leaving(leaving)
            return [.stop(.goodbye)] + leg + reopenIfReady(leaving)
        case .reopening:
            state = .ended
            return [.stop(.uplinkConnect), .note(.willLost("\(why)"))] + leg
        case .publishing:
            state = .ended
            return [.stop(.goodbye), .note(.willLost("\(why), before it acknowledged it"))] + leg
        case .finishing:
            state = .ended
            return [.stop(.goodbye)] + leg
        case .awaitingConnect, .authenticating, .connecting, .connected, .ended:
            return []
        }
    }

    /// Only the broker's answers to the will matter here.
    mutating func uplinkSent(_ frame: Frame, while publishing: Publishing) -> [SessionAction] {
        let code = frame.acknowledgementCode
        switch frame.type {
        case .puback, .pubcomp:
            return willAnswered(code)
        case .pubrec where code >= 0x80:
            return willAnswered(code)
        case .pubrec:
            guard
                let release = try? PublishAck(packetID: publishing.packetID)
                    .encode(as: .pubrel, version: publishing.version)
            else { return [] }
            return [.sendToUplink(release)]
        default:
            return []
        }
    }

    private mutating func willAnswered(_ code: UInt8) -> [SessionAction] {
        let notes: [SessionAction] = code >= 0x80 ? [.note(.willRefused(code: code))] : []
        return notes + finish()
    }
}

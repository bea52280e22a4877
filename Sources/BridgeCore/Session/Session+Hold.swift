import MQTTCodec
import NIOCore

// How a session outlives its uplink leg.
extension Session {
    package mutating func uplinkSilent() -> [SessionAction] {
        guard case .connected(var connected) = state, connected.hold?.phase == .up else { return [] }
        state = .taken
        let actions = (connected.hold?.becomeSilent() ?? []) + answerPings(in: &connected)
        state = .connected(connected)
        return actions
    }

    package mutating func uplinkAnswered(after silence: Duration) -> [SessionAction] {
        guard case .connected(var connected) = state, let hold = connected.hold, hold.phase == .silent else {
            return []
        }
        if let patience = hold.brokerPatience, silence >= patience {
            return lose("the broker has not heard the device for 1.5 times its keepalive", leg: .open)
        }
        state = .taken
        let step = connected.hold?.resume(after: silence) ?? Ledger.Step()
        let timers: [SessionAction] = [.stop(.hold), .stop(.brokerPatience)]
        let actions = perform(step, in: &connected) + [.note(.returned(.sameLeg))]
        if case .taken = state { state = .connected(connected) }
        return timers + actions
    }

    /// The leg is of no more use, and whoever ended it decided nothing about the device: another is asked for, or the
    /// session ends where it could not go on there.
    mutating func lose(_ why: String, leg: UplinkState) -> [SessionAction] {
        guard case .connected(var connected) = state else { return end(.uplinkLost(why), uplink: leg) }
        return lose(why, leg: leg, in: &connected)
    }

    /// - Parameter isBusy: The broker said so.
    mutating func lose(
        _ why: String, leg: UplinkState, in connected: inout Connected, isBusy: Bool = false
    ) -> [SessionAction] {
        guard let hold = connected.hold, hold.journal.isHoldable, !connected.down.isInsidePacket else {
            let end: SessionEnd = connected.hasLeft ? .deviceDisconnected : .uplinkLost(why)
            return self.end(end, leaving: connected.standing, uplink: leg)
        }
        let close: [SessionAction] = leg == .gone ? [] : [.closeUplink]
        if hold.phase == .returning {
            let delay = connected.hold?.failed(why) ?? .zero
            state = .connected(connected)
            return [.stop(.uplinkConnect)] + close + [.start(.retry, after: delay)]
        }
        let actions = connected.hold?.lose(why) ?? []
        _ = connected.down.end()
        let pongs = answerPings(in: &connected)
        if let delay = connected.hold?.pauseAfterLoss(why, isBusy: isBusy) {
            state = .connected(connected)
            return close + actions + pongs + [.start(.retry, after: delay)]
        }
        state = .connected(connected)
        return close + actions + pongs + [.openUplink(keepAlive: connected.device.keepAliveDuration)]
    }

    /// No leg could be made: the connector knows when to try again. CONNECT may have been given to one already, whose
    /// connection came to nothing before anything was heard on it.
    mutating func unreachable(_ why: String) -> [SessionAction] {
        guard case .connected(var connected) = state, let hold = connected.hold else { return [] }
        let timers: [SessionAction]
        switch hold.phase {
        case .waiting: timers = []
        case .returning: timers = [.stop(.uplinkConnect)]
        case .up, .silent, .pausing: return []
        }
        connected.hold?.why = why
        connected.hold?.phase = .waiting
        state = .connected(connected)
        return timers + [.openUplink(keepAlive: connected.device.keepAliveDuration)]
    }

    mutating func retry() -> [SessionAction] {
        guard case .connected(var connected) = state, connected.hold?.phase == .pausing else { return [] }
        connected.hold?.phase = .waiting
        state = .connected(connected)
        return [.openUplink(keepAlive: connected.device.keepAliveDuration)]
    }

    /// No CONNACK came on the new leg.
    mutating func returnTimedOut() -> [SessionAction] {
        guard case .connected(var connected) = state, connected.hold?.phase == .returning else { return [] }
        connected.hold?.why = "no CONNACK came within uplink.connect_timeout"
        connected.hold?.phase = .waiting
        state = .connected(connected)
        return [.closeUplink, .openUplink(keepAlive: connected.device.keepAliveDuration)]
    }

    /// The device's PINGREQ packets that the broker will not answer in time.
    private func answerPings(in connected: inout Connected) -> [SessionAction] {
        let count = connected.hold?.takeOpenPings() ?? 0
        return (0..<count).flatMap { _ in pong(in: &connected) }
    }

    func pong(in connected: inout Connected) -> [SessionAction] {
        guard connected.down.takesPong(), let pong = try? Packet.pingresp.encode(version: connected.device.version)
        else { return [] }
        return toDevice(pong, in: &connected)
    }

    /// What the journal has for either side.
    mutating func perform(_ step: Ledger.Step, in connected: inout Connected) -> [SessionAction] {
        var actions = step.up.map { SessionAction.sendToUplink($0) }
        do {
            for packet in step.down {
                let routed = try connected.router.fromBroker(Frame(packet: packet, version: connected.device.version))
                for bytes in routed.forward { actions += toDevice(bytes, in: &connected) }
                for reply in routed.reply { actions += toUplink(reply, in: &connected) }
            }
        } catch {
            return actions + end(.brokerViolation(error), leaving: connected.standing)
        }
        guard step.isTooLarge else { return actions }
        return actions
            + end(
                .notAllowed("a packet of the device is larger than the broker allows since its return"),
                leaving: connected.standing, reasonCode: .packetTooLarge)
    }

    /// A packet of the device, or of the router in its name, in one buffer or two.
    mutating func passUp(_ packet: [ByteBuffer], in connected: inout Connected) -> [SessionAction] {
        guard connected.hold != nil else { return packet.map { .sendToUplink($0) } }
        guard !packet.isEmpty else { return [] }
        do {
            guard let step = try connected.hold?.journal.send(packet) else { return [] }
            return perform(step, in: &connected)
        } catch {
            return violation(error, leaving: connected.standing)
        }
    }
}

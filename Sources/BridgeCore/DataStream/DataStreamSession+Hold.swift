import MQTTCodec
import NIOCore

// How a session outlives its data stream. What the broker keeps for a stream goes with it: so on another all is new to
// it, subscriptions and messages, and the flows that it knew are brought to their end here. A message at QoS 2 whose
// PUBREC did not come is sent again like any other, for nobody can know whether the broker had it.
extension DataStreamSession {
    package mutating func uplinkSilent() -> [SessionAction] {
        guard case .connected(var connected) = state, connected.hold?.phase == .up else { return [] }
        state = .taken
        let actions = connected.hold?.becomeSilent() ?? []
        state = .connected(connected)
        return actions
    }

    /// However long it was: the gateway's session answers for itself to the broker.
    package mutating func uplinkAnswered(after silence: Duration) -> [SessionAction] {
        guard case .connected(var connected) = state, connected.hold?.phase == .silent else { return [] }
        state = .taken
        let step = connected.hold?.resume(after: silence) ?? Ledger.Step()
        let actions = performed(step, in: &connected)
        if case .taken = state { state = .connected(connected) }
        return [.stop(.hold)] + actions + [.note(.returned(.sameLeg))]
    }

    /// The stream is gone with its connection.
    mutating func lose(_ why: String) -> [SessionAction] {
        guard case .connected(var connected) = state, let hold = connected.hold, hold.journal.isHoldable,
            !connected.down.isInsidePacket
        else { return end(.uplinkLost(why), uplink: .gone) }
        state = .taken
        let actions = connected.hold?.lose(why) ?? []
        _ = connected.down.end()
        state = .connected(connected)
        return actions + [.openDataStream(Self.streamVersion(connected.version))]
    }

    /// There is no stream to be had yet: the connector knows when to try again.
    mutating func unreachable(_ why: String, _ original: Connected) -> [SessionAction] {
        var connected = original
        connected.hold?.why = why
        state = .connected(connected)
        return [.openDataStream(Self.streamVersion(connected.version))]
    }

    /// Another stream, perhaps in a session with other limits.
    mutating func returnTo(_ original: Connected, _ limits: GatewayLimits) -> [SessionAction] {
        var connected = original
        guard connected.hold?.phase == .waiting else { return [] }
        if let less = limits.lessThan(connected.limits) {
            return leave(connected, .uplinkLost("the broker now allows less: \(less)"), will: .due)
        }
        var legLimits = LegLimits()
        legLimits.receiveMaximum = limits.receiveMaximum
        legLimits.maximumPacketSize = limits.maximumPacketSize.map { Int($0) }
        connected.hold?.returned()
        do throws(MQTTError) {
            guard
                let (step, resent) = try connected.hold?.journal.rejoin(
                    isSessionPresent: false, needsSubscriptions: true, legLimits)
            else { return [] }
            state = .taken
            let actions = performed(step, in: &connected)
            if case .taken = state { state = .connected(connected) }
            return [.stop(.hold), .note(.returned(.newLeg(isSessionPresent: false, resent: resent)))] + actions
        } catch {
            return leave(connected, .uplinkLost("\(error)"), will: .due)
        }
    }

    private mutating func performed(_ step: Ledger.Step, in connected: inout Connected) -> [SessionAction] {
        do {
            return try perform(step, in: &connected)
        } catch {
            return leave(connected, .brokerViolation(error), will: .due, uplink: .useless)
        }
    }

    /// What the journal has for either side.
    mutating func perform(_ step: Ledger.Step, in connected: inout Connected) throws(MQTTError) -> [SessionAction] {
        var actions = step.up.map { SessionAction.sendToUplink($0) }
        for packet in step.down {
            let frame = try Frame(packet: packet, version: connected.version)
            actions += frame.type == .pubrel ? try released(frame, in: &connected) : try answer(frame, in: &connected)
        }
        guard step.isTooLarge else { return actions }
        return actions + leave(connected, Self.tooLargeOnceRouted, will: .due, tells: .packetTooLarge)
    }

    /// A packet for the broker, in one buffer or two.
    mutating func passUp(
        _ packet: [ByteBuffer], in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        guard !packet.isEmpty, let step = try connected.hold?.journal.send(packet) else {
            return packet.map { .sendToUplink($0) }
        }
        return try perform(step, in: &connected)
    }

    /// A packet of our own for the broker never lands inside one that is passing through in pieces.
    mutating func toUplink(
        _ bytes: ByteBuffer, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        guard connected.hold == nil else { return try passUp([bytes], in: &connected) }
        return connected.up.sendOrHold(bytes) ? [.sendToUplink(bytes)] : []
    }
}

extension GatewayLimits {
    /// What the device was told it may do and may no more: a name for the log. Messages in flight and the size of
    /// packets are looked at as packets go out.
    fileprivate func lessThan(_ told: GatewayLimits) -> String? {
        if maximumQoS < told.maximumQoS { return "QoS \(maximumQoS.rawValue) at most" }
        if !isRetainAvailable, told.isRetainAvailable { return "no retained messages" }
        if !areWildcardsAvailable, told.areWildcardsAvailable { return "no wildcards in filters" }
        if !areSubscriptionIdentifiersAvailable, told.areSubscriptionIdentifiersAvailable {
            return "no subscription identifiers"
        }
        if !areSharedSubscriptionsAvailable, told.areSharedSubscriptionsAvailable { return "no shared subscriptions" }
        return nil
    }
}

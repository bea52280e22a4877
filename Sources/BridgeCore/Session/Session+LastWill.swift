import MQTTCodec
import NIOCore

// The will of a session that the broker has ended for what the device did.
//
// If the bridge asked for the session in the device's place, it asked for a Will Delay as well, so that nothing is
// published while the device is held. The broker then keeps the will back although the device is gone. Only a client
// can change that, and the broker has disconnected the one that it knew. So the session is continued once more, without
// a delay, to end with "Disconnect with Will Message" (MQTT 5 3.14.2.1).
//
// The same is done if the device vanishes inside a packet, behind which the broker can be told nothing.
//
// This is not done if the broker has decided about the device itself: if it was taken over, kicked or banned, the
// bridge must not connect in its name.
extension Session {
    /// Follows the end, of which both sides have been told: closes the leg and asks for another.
    mutating func reclaim(_ connect: ByteBuffer) -> [SessionAction] {
        state = .reclaimingWill(connect)
        return [
            .closeUplink, .start(.uplinkConnect, after: context.connectTimeout), .openUplink(keepAlive: nil),
        ]
    }

    mutating func sendReclaimingConnect() -> [SessionAction] {
        guard case .reclaimingWill(let connect?) = state else { return [] }
        state = .reclaimingWill(nil)
        return [.sendToUplink(connect)]
    }

    mutating func uplinkSentWhileReclaiming(_ element: FrameDecoder.Element) -> [SessionAction] {
        guard case .packet(let frame) = element, frame.type == .connack,
            let connack = try? Connack.decode(frame, version: .v5_0), connack.code == 0
        else { return reclaimingFailed(.open) }
        var disconnect = Disconnect(reasonCode: 0x04)
        disconnect.properties.sessionExpiryInterval = 1
        guard let farewell = try? disconnect.encode(version: .v5_0) else { return reclaimingFailed(.open) }
        state = .finishing(reclaiming: nil)
        lingersAtBroker = true
        hasSaidGoodbye = true
        return [
            .stop(.uplinkConnect), .sendToUplink(farewell), .finishUplink, .start(.goodbye, after: .goodbye),
        ]
    }

    /// The broker publishes the will at the end of its delay.
    mutating func reclaimingFailed(_ uplink: UplinkRemains) -> [SessionAction] {
        state = .ended
        return [.stop(.uplinkConnect)] + (uplink == .gone ? [] : [.closeUplink])
    }
}

extension ConnectedDevice {
    /// Whether the broker has ended the session without a word, and for what the device sent last.
    func hasBeenClosed(_ why: SessionEnd) -> Bool { why == .brokerClosed && hasErred }

    /// CONNECT for ``Session/reclaim(_:)``; `nil` if the broker keeps no will back.
    var reclaimingConnect: ByteBuffer? {
        guard facts.keepsWillBack, let bytes = hold?.connect,
            let frame = try? Frame(packet: ByteBuffer(bytes: bytes), version: nil),
            var connect = try? Connect.decode(frame)
        else { return nil }
        connect.will?.properties.willDelayInterval = nil
        connect.properties.sessionExpiryInterval = 1
        return try? connect.encode()
    }
}

/// The will of a device that has vanished inside a packet, behind which the broker can be told nothing but FIN.
struct Reclaim: Sendable {
    /// From the device's end to FIN. If the broker ends the leg before FIN, that was for something else: Mosquitto 2.0 does
    /// not say that another client has taken the session over. Who takes it over often closes the earlier connection in
    /// the next moment.
    static let caution = Duration.seconds(1)

    /// The CONNECT to send on another leg.
    let connect: ByteBuffer
    /// Whether FIN has gone out, so that an end without a word is the answer to it.
    var isAsked = false

    /// Whether the leg's end leaves the will to be asked for.
    func isDue(after why: SessionEnd) -> Bool {
        switch why {
        case .brokerClosed: isAsked
        case .uplinkLost: true
        default: why.leavesWillBehind
        }
    }
}

extension Session {
    /// The leg has not ended in time.
    mutating func goOn(_ reclaiming: Reclaim) -> [SessionAction] {
        guard !reclaiming.isAsked else { return hangUp() + reclaim(reclaiming.connect) }
        var asked = reclaiming
        asked.isAsked = true
        state = .finishing(reclaiming: asked)
        return [.finishUplink, .start(.goodbye, after: .goodbye)]
    }
}

extension SessionEnd {
    /// The broker has ended the session, and has nothing against the device: the device sent nothing for too long, or
    /// sent what no broker accepts. An end without a reason may be a takeover, which Mosquitto 2.0 does not announce:
    /// the bridge must not connect again after that.
    var leavesWillBehind: Bool {
        guard case .brokerDisconnected(let code) = self else { return false }
        return switch code {
        case 0x81, 0x82, 0x8D, 0x8F, 0x90, 0x93...0x97, 0x99...0x9B, 0x9E, 0xA1, 0xA2: true
        default: false
        }
    }
}

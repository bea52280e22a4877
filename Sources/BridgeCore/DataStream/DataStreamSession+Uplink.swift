import MQTTCodec
import NIOCore

// What the broker sends to a connected device.
extension DataStreamSession {
    mutating func uplinkSent(
        _ element: FrameDecoder.Element, in connected: inout Connected
    ) -> [SessionAction] {
        do throws(MQTTError) {
            switch element {
            case .packet(let frame):
                return try uplinkSent(frame, in: &connected)
            case .publishBegin(let begin):
                return try deliveryBegan(begin, in: &connected)
            case .unreadBegin(let begin):
                throw begin.error ?? .unreadable(.publish)
            case .payload(let bytes, let isLast):
                var actions: [SessionAction] = connected.down.isForwarded ? [.sendToDevice(bytes)] : []
                guard isLast else { return actions }
                for reply in connected.down.takeDeferred() { actions += try toUplink(reply, in: &connected) }
                for held in connected.down.end() { actions.append(.sendToDevice(held)) }
                return actions
            }
        } catch {
            return leave(connected, .brokerViolation(error), will: .due, uplink: .useless)
        }
    }

    private mutating func uplinkSent(
        _ frame: Frame, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        connected.hold?.heard(frame.type)
        guard let passage = try connected.hold?.journal.received(frame) else {
            return try pass(frame, toDeviceOf: &connected)
        }
        let actions = try passage.notes + perform(passage.step, in: &connected)
        guard let passing = passage.frame, case .taken = state else {
            if passage.frame == nil { connected.noteAnswered(frame) }
            return actions
        }
        return try actions + pass(passing, toDeviceOf: &connected)
    }

    private mutating func pass(
        _ frame: Frame, toDeviceOf connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        switch frame.type {
        case .publish:
            return try deliver(frame, in: &connected)
        case .pubrel:
            return try released(frame, in: &connected)
        case .puback, .pubrec, .pubcomp, .suback, .unsuback:
            connected.noteAnswered(frame)
            return try answer(frame, in: &connected)
        case .disconnect where connected.version == .v5_0:
            // EMQX sends none on data streams. What it says would be about the gateway, so the device is not told.
            let code = try Disconnect.decode(frame, version: .v5_0).reasonCode
            return leave(connected, .brokerDisconnected(code: code), will: .due, uplink: .useless)
        case .connect, .connack, .subscribe, .unsubscribe, .pingreq, .pingresp, .disconnect, .auth:
            throw .clientPacketFromServer(frame.type)
        }
    }

    private mutating func deliver(
        _ frame: Frame, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        let routed = try connected.router.fromBroker(frame)
        var actions: [SessionAction] = []
        if let head = routed.forward.first {
            let length = routed.forward.reduce(0) { $0 + $1.readableBytes }
            if let reply = try connected.replyInsteadOfDelivery(head, length: length) {
                for packet in reply { actions += try toUplink(packet, in: &connected) }
            } else {
                actions = routed.forward.map { .sendToDevice($0) }
            }
        }
        for reply in routed.reply { actions += try toUplink(reply, in: &connected) }
        if let refusal = routed.close { throw .broken(refusal) }
        return actions
    }

    private mutating func deliveryBegan(
        _ original: StreamedPublish, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        var begin = original
        var actions: [SessionAction] = []
        if let (passing, answer) = try connected.hold?.journal.began(original) {
            if let answer, let step = connected.hold?.journal.reply(answer) {
                actions = try perform(step, in: &connected)
            }
            guard let passing else {
                connected.down.begin(isForwarded: false, deferred: [])
                return actions
            }
            begin = passing
        }
        let routed = try connected.router.fromBroker(begin)
        if let refusal = routed.close { throw .broken(refusal) }
        guard let head = routed.head else {
            connected.down.begin(isForwarded: false, deferred: routed.reply)
            return []
        }
        let length = head.readableBytes + begin.payloadLength
        if let reply = try connected.replyInsteadOfDelivery(head, length: length) {
            connected.down.begin(isForwarded: false, deferred: reply + routed.reply)
            return []
        }
        connected.down.begin(isForwarded: true, deferred: routed.reply)
        return [.sendToDevice(head)]
    }

    mutating func released(
        _ frame: Frame, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        guard let packetID = frame.leadingPacketID else { return try answer(frame, in: &connected) }
        if connected.discarded.remove(packetID) != nil {
            return try toUplink(connected.router.acknowledgement(.pubcomp, packetID), in: &connected)
        }
        switch connected.window?.brokerReleased(packetID) {
        case .answer:
            return try toUplink(connected.router.acknowledgement(.pubcomp, packetID), in: &connected)
        case .swallow:
            return []
        case .pass, .passAndRelease, nil:
            return try answer(frame, in: &connected)
        }
    }

    /// A packet without payload, through the routes, in a size that the device takes.
    mutating func answer(
        _ frame: Frame, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        let routed = try connected.router.fromBroker(frame)
        var actions: [SessionAction] = []
        for bytes in routed.forward {
            guard let fitting = try connected.fitting(bytes) else {
                return leave(connected, Self.answerTooLarge, will: .due, tells: .packetTooLarge)
            }
            actions.append(.sendToDevice(fitting))
        }
        for reply in routed.reply { actions += try toUplink(reply, in: &connected) }
        if let refusal = routed.close { throw .broken(refusal) }
        return actions
    }

    private static let answerTooLarge = SessionEnd.notAllowed(
        "an answer of the broker is larger than the device's Maximum Packet Size")
}

extension DataStreamSession.Connected {
    /// What the broker is told of a delivery that is larger than the device takes, and so is not sent: that all is well
    /// ([MQTT-3.1.2-24], [MQTT-3.1.2-25]). `nil` where it is sent; it then takes its place among those in flight.
    fileprivate mutating func replyInsteadOfDelivery(
        _ head: ByteBuffer, length: Int
    ) throws(MQTTError) -> [ByteBuffer]? {
        guard maximumPacketSize != nil || window != nil else { return nil }
        guard let glance = PublishGlance(head, version: version) else {
            throw MQTTError(.malformed, clause: "\(version) 3.3", message: "PUBLISH: ends before its head does")
        }
        guard fits(length) else {
            guard let packetID = glance.packetID else { return [] }
            if glance.qos == .exactlyOnce { discarded.insert(packetID) }
            return [try router.acknowledgement(glance.qos == .exactlyOnce ? .pubrec : .puback, packetID)]
        }
        if let packetID = glance.packetID { window?.delivered(packetID) }
        return nil
    }

    /// The packet as the device takes it: without reason string and user properties where it wants none
    /// ([MQTT-3.1.2-29]) or it is too large with them. `nil` where it is too large without them as well.
    fileprivate func fitting(_ bytes: ByteBuffer) throws(MQTTError) -> ByteBuffer? {
        guard version == .v5_0, !takesProblemInformation || !fits(bytes.readableBytes) else { return bytes }
        let stripped = try Packet.decode(Frame(packet: bytes, version: version), version: version)
            .withoutProblemInformation.encode(version: version)
        return fits(stripped.readableBytes) ? stripped : nil
    }

    fileprivate mutating func noteAnswered(_ frame: Frame) {
        guard usedIDs != nil, let packetID = frame.leadingPacketID else { return }
        // A PUBREC that is no error only begins the second half.
        if frame.type == .pubrec, frame.acknowledgementCode < 0x80 { return }
        usedIDs?.remove(packetID)
    }
}

extension Packet {
    fileprivate var withoutProblemInformation: Packet {
        switch self {
        case .puback(var ack):
            ack.properties = []
            return .puback(ack)
        case .pubrec(var ack):
            ack.properties = []
            return .pubrec(ack)
        case .pubrel(var ack):
            ack.properties = []
            return .pubrel(ack)
        case .pubcomp(var ack):
            ack.properties = []
            return .pubcomp(ack)
        case .suback(var suback):
            suback.properties = []
            return .suback(suback)
        case .unsuback(var unsuback):
            unsuback.properties = []
            return .unsuback(unsuback)
        case .connect, .connack, .publish, .subscribe, .unsubscribe, .pingreq, .pingresp, .disconnect, .auth:
            return self
        }
    }
}

import MQTTCodec
import NIOCore

// What the broker sends to a connected device.
extension Session {
    mutating func uplinkSent(
        _ element: FrameDecoder.Element, in connected: inout Connected
    ) -> [SessionAction] {
        switch element {
        case .packet(let frame):
            return uplinkSent(frame, in: &connected)
        case .publishBegin(let original):
            do {
                var begin = original
                var actions: [SessionAction] = []
                if let (passing, answer) = try connected.hold?.journal.began(original) {
                    if let answer, let step = connected.hold?.journal.reply(answer) {
                        actions = perform(step, in: &connected)
                    }
                    guard let passing else {
                        connected.down.begin(isForwarded: false, deferred: [])
                        return actions
                    }
                    begin = passing
                }
                let routed = try connected.router.fromBroker(begin)
                if let refusal = routed.close {
                    return end(.brokerViolation(.broken(refusal)), leaving: connected.standing)
                }
                connected.down.begin(isForwarded: routed.head != nil, deferred: routed.reply)
                return routed.head.map { [.sendToDevice($0)] } ?? []
            } catch {
                return end(.brokerViolation(error), leaving: connected.standing)
            }
        case .unreadBegin(let begin):
            do {
                let routed = try connected.router.fromBroker(begin)
                connected.down.begin(isForwarded: routed.head != nil, deferred: routed.reply)
                return routed.head.map { [.sendToDevice($0)] } ?? []
            } catch {
                return end(.brokerViolation(error), leaving: connected.standing)
            }
        case .payload(let bytes, let isLast):
            var actions: [SessionAction] = connected.down.isForwarded ? [.sendToDevice(bytes)] : []
            guard isLast else { return actions }
            for reply in connected.down.takeDeferred() { actions += toUplink(reply, in: &connected) }
            for held in connected.down.end() { actions.append(.sendToDevice(held)) }
            return actions
        }
    }

    private mutating func uplinkSent(_ frame: Frame, in connected: inout Connected) -> [SessionAction] {
        connected.hold?.heard(frame.type)
        switch frame.type {
        case .disconnect:
            return disconnected(frame, in: &connected)
        case .pingresp where connected.hold?.passesPong() == false:
            return []
        case .connack where connected.hasConnectedAgain:
            return [.sendToDevice(frame.bytes)]
        case .connect, .connack, .subscribe, .unsubscribe, .pingreq:
            return end(.brokerViolation(.clientPacketFromServer(frame.type)), leaving: connected.standing)
        default:
            do {
                var actions: [SessionAction] = []
                var frame = frame
                if let passage = try connected.hold?.journal.received(frame) {
                    actions = passage.notes + perform(passage.step, in: &connected)
                    guard let passing = passage.frame, case .taken = state else { return actions }
                    frame = passing
                }
                let routed = try connected.router.fromBroker(frame)
                for bytes in routed.forward { actions.append(.sendToDevice(bytes)) }
                for reply in routed.reply { actions += toUplink(reply, in: &connected) }
                if let refusal = routed.close {
                    actions += end(.brokerViolation(.broken(refusal)), leaving: connected.standing)
                }
                return actions
            } catch {
                return end(.brokerViolation(error), leaving: connected.standing)
            }
        }
    }
}

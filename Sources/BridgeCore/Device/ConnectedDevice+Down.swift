import MQTTCodec
import NIOCore

// What the broker sends.
extension ConnectedDevice {
    /// A packet of the broker, or a piece of a long one.
    mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        do throws(MQTTError) {
            guard hold?.phase != .returning else { return try brokerAnsweredReturn(element) }
            switch element {
            case .packet(let frame):
                hold?.heard(frame.type)
                return gateway == nil ? try brokerSent(frame) : try gatewaySent(frame)
            case .publishBegin(let begin):
                return try deliveryBegan(begin)
            case .unreadBegin(let begin):
                let routed = try router.fromBroker(begin)
                down.begin(isForwarded: routed.head != nil, deferred: routed.reply)
                return routed.head.map { [.sendToDevice($0)] } ?? []
            case .payload(let bytes, let isLast):
                var actions: [SessionAction] = down.isForwarded ? [.sendToDevice(bytes)] : []
                guard isLast else { return actions }
                for reply in down.takeDeferred() { actions += try toUplink(reply) }
                for held in down.end() { actions.append(.sendToDevice(held)) }
                return actions
            }
        } catch {
            return end(Ending(.brokerViolation(error), uplink: .useless))
        }
    }

    private mutating func deliveryBegan(_ original: StreamedPublish) throws(MQTTError) -> [SessionAction] {
        var begin = original
        if let (passing, answer) = try hold?.journal.began(original) {
            guard let passing else {
                down.begin(isForwarded: false, deferred: [])
                guard let answer, let step = hold?.journal.reply(answer) else { return [] }
                return try perform(step)
            }
            begin = passing
        }
        let routed = try router.fromBroker(begin)
        if let refusal = routed.close { throw .broken(refusal) }
        guard let head = routed.head else {
            down.begin(isForwarded: false, deferred: routed.reply)
            return []
        }
        let length = head.readableBytes + begin.payloadLength
        if let reply = try gateway?.replyInsteadOfDelivery(head, length: length, facts) {
            down.begin(isForwarded: false, deferred: reply + routed.reply)
            return []
        }
        down.begin(isForwarded: true, deferred: routed.reply)
        return [.sendToDevice(head)]
    }

    /// Takes a packet of the broker through the journal and the routes.
    mutating func deliver(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        gateway?.noteAnswered(frame)
        guard let passage = try hold?.journal.received(frame) else { return try passDown(frame) }
        if let passing = passage.frame, passage.isAlone { return try passDown(passing) }
        let actions = try passage.notes + perform(passage.step)
        guard let passing = passage.frame, ending == nil else { return actions }
        return try actions + passDown(passing)
    }

    /// Takes a packet of the broker, or of the journal in its name, through the routes.
    mutating func passDown(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        if gateway == nil, router.passesEverything {
            return down.sendOrHold(frame.bytes) ? [.sendToDevice(frame.bytes)] : []
        }
        if frame.type == .pubrel, let packetID = frame.leadingPacketID {
            switch gateway?.brokerReleased(packetID) {
            case .answer: return try toUplink(router.acknowledgement(.pubcomp, packetID))
            case .swallow: return []
            case .pass, .passAndRelease, nil: break
            }
        }
        var routed = try router.fromBroker(frame)
        if frame.type == .publish, let head = routed.forward.first {
            let length = routed.forward.byteCount
            if let reply = try gateway?.replyInsteadOfDelivery(head, length: length, facts) {
                routed.forward = BufferList()
                routed.reply = reply + routed.reply
            }
        } else if gateway != nil {
            for index in routed.forward.indices {
                guard let fitting = try routed.forward[index].fitting(facts) else { return refuse(.answerTooLarge) }
                routed.forward[index] = fitting
            }
        }
        var actions: [SessionAction] = []
        for bytes in routed.forward where down.sendOrHold(bytes) { actions.append(.sendToDevice(bytes)) }
        for reply in routed.reply { actions += try toUplink(reply) }
        if let refusal = routed.close { throw .broken(refusal) }
        return actions
    }
}

extension Refusal {
    fileprivate static let answerTooLarge = Refusal(
        reasonCode: .packetTooLarge, message: "an answer of the broker is larger than the device's Maximum Packet Size")
}

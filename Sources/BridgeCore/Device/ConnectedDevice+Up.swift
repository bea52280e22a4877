import MQTTCodec
import NIOCore

// What the device sends.
extension ConnectedDevice {
    /// A packet of the device, or a piece of a long one.
    mutating func deviceSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        do throws(MQTTError) {
            switch element {
            case .packet(let frame):
                return gateway == nil ? try deviceSentToBroker(frame) : try deviceSentToGateway(frame)
            case .publishBegin(let begin):
                hasErred = false
                return try deviceBegan(begin)
            case .unreadBegin(let begin):
                guard router.passesEverything else { throw begin.error ?? .unreadable(.publish) }
                up.begin(isForwarded: true, deferred: [])
                guard let step = hold?.journal.begin(begin) else { return [.sendToUplink(begin.start)] }
                return try perform(step)
            case .payload(let bytes, let isLast):
                return try deviceContinued(bytes, isLast: isLast)
            }
        } catch {
            return end(.deviceViolation(error))
        }
    }

    private mutating func deviceBegan(_ original: StreamedPublish) throws(MQTTError) -> [SessionAction] {
        var begin = original
        if let terms = gateway {
            if facts.version == .v3_1 { begin = original.asLaterVersions }
            if let refusal = terms.refusal(of: begin) { return refuse(refusal) }
        }
        let routed = try router.fromDevice(begin)
        if let refusal = routed.close { return noting(refuse(refusal)) }
        guard let head = routed.head else {
            up.begin(isForwarded: false, deferred: isDue(routed.receipt) ? routed.reply : [])
            return noting([])
        }
        guard gateway?.takes(head.readableBytes + begin.payloadLength) ?? true else {
            return refuse(.tooLargeOnceRouted)
        }
        gateway?.noteSent(head, of: .publish, facts.version)
        // The journal gives a receipt when the message has gone out.
        up.begin(isForwarded: true, deferred: hold == nil || routed.receipt == nil ? routed.reply : [])
        guard let step = try hold?.journal.begin(head, payloadLength: begin.payloadLength, receipt: routed.receipt)
        else {
            return noting([.sendToUplink(head)])
        }
        return noting(try perform(step))
    }

    /// The actions, after what the operator should know about the topics of the device and has not been told. There is
    /// rarely anything, so that rarely an array is made.
    mutating func noting(_ actions: [SessionAction]) -> [SessionAction] {
        guard router.notices.hasNew else { return actions }
        return router.notices.takeNew().map { .note(.platform($0)) } + actions
    }

    private mutating func deviceContinued(_ bytes: ByteBuffer, isLast: Bool) throws(MQTTError) -> [SessionAction] {
        var actions: [SessionAction] = []
        if up.isForwarded {
            if let step = hold?.journal.piece(bytes, isLast: isLast) {
                actions = try perform(step)
            } else {
                actions = [.sendToUplink(bytes)]
            }
        }
        guard isLast else { return actions }
        // The replies to the long packet's own sender go the other way, where another long packet may be under way.
        for reply in up.takeDeferred() { actions += toDevice(reply) }
        for held in up.end() { actions.append(.sendToUplink(held)) }
        return actions
    }

    /// Takes a packet of the device through the routes.
    mutating func route(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        if gateway == nil, router.passesEverything { return try passUp(BufferList(frame.bytes)) }
        let routed = try router.fromDevice(frame)
        if gateway != nil {
            guard gateway?.takes(routed.forward.byteCount) ?? true else { return refuse(.tooLargeOnceRouted) }
            if let first = routed.forward.first { gateway?.noteSent(first, of: frame.type, facts.version) }
        }
        let (passed, isWaiting) = try passUp(routed.forward, routed.receipt)
        var actions = noting(passed)
        if !isWaiting {
            for reply in routed.reply { actions += toDevice(reply) }
        }
        if let refusal = routed.close { actions += refuse(refusal) }
        return actions
    }
}

// Receipts for messages that a route has lowered to QoS 0.
extension ConnectedDevice {
    /// Takes a packet of the device up. Returns also whether its receipt has to wait, because the message does; the journal
    /// gives it then.
    private mutating func passUp(
        _ packet: BufferList, _ receipt: Receipt?
    ) throws(MQTTError) -> ([SessionAction], isWaiting: Bool) {
        guard hold != nil, let receipt else { return (try passUp(packet), false) }
        guard !packet.isEmpty else { return ([], !isDue(receipt)) }
        var step = Ledger.Step()
        try hold?.journal.send(packet, receipt: receipt, &step)
        return (try perform(step), step.isReceiptWaiting)
    }

    /// Whether the device may be given a receipt for a message that it has sent before. If that message still waits, this is
    /// noted there.
    private mutating func isDue(_ receipt: Receipt?) -> Bool {
        guard let receipt, hold != nil else { return true }
        return hold?.journal.joins(receipt) != true
    }
}

extension Refusal {
    fileprivate static let tooLargeOnceRouted = Refusal(
        reasonCode: .packetTooLarge,
        message: "a packet is larger than the broker allows, by itself or once it is routed")
}

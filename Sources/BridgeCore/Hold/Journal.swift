import MQTTCodec
import NIOCore

/// What one session would have to do again on another uplink leg, and what waits for one: its packets under way, its
/// subscriptions, its topic aliases. It stands on the broker's side of the router: every packet of the device goes
/// through it after the router, every packet of the broker before.
///
/// A session with nothing to remember has no memory for it.
struct Journal: Sendable {
    /// What becomes of a packet of the broker.
    struct Passage: Sendable {
        /// For the router and the device; `nil` where it goes no further.
        var frame: Frame?
        var step = Ledger.Step()
    }

    let version: MQTTVersion
    let policy: HoldPolicy
    /// Topic Alias Maximum that the device was told; 0 where it has none.
    private let aliasMaximum: UInt16
    private(set) var isOpen = true
    // An array of none or one is a box that is copied on write and allocated on demand.
    private var ledgers: [Ledger] = []
    private var books: [SubscriptionBook] = []
    private var aliases: [AliasBook] = []

    init(_ policy: HoldPolicy, version: MQTTVersion, aliasMaximum: UInt16 = 0) {
        self.policy = policy
        self.version = version
        self.aliasMaximum = aliasMaximum
    }

    private var ledger: Ledger? { ledgers.first }

    /// There is nothing to remember.
    var isEmpty: Bool { ledgers.isEmpty && books.isEmpty && aliases.isEmpty }

    var isInsidePacket: Bool { ledger?.isInsidePacket ?? false }

    /// Whether nothing would be lost with the leg.
    var isHoldable: Bool {
        (ledger?.isHoldable ?? true) && books.first?.isOverflown != true && aliases.first?.isOverflown != true
    }

    func acceptsInput(isDeliveryBlocked: Bool = false) -> Bool {
        guard !ledgers.isEmpty else { return isOpen || !policy.budget.isFull }
        return ledgers[0].acceptsInput(isDeliveryBlocked: isDeliveryBlocked)
    }

    /// Identifiers that no packet of the bridge may have now.
    func isUsed(_ packetID: UInt16) -> Bool {
        ledger.map { $0.own.contains(packetID) || $0.up[packetID] != nil } ?? false
    }

    private mutating func write(_ change: (inout Ledger) -> Void) {
        if ledgers.isEmpty { ledgers = [Ledger(policy, version: version, isOpen: isOpen)] }
        change(&ledgers[0])
        if isOpen, ledgers[0].isEmpty { ledgers = [] }
    }
}

// MARK: - From the device

extension Journal {
    /// A packet of the device, or of the router in its name, in one buffer or two.
    mutating func send(_ packet: [ByteBuffer]) throws(MQTTError) -> Ledger.Step {
        var step = Ledger.Step()
        guard let first = packet.first, let byte = first.getInteger(at: first.readerIndex, as: UInt8.self),
            let type = PacketType(rawValue: byte >> 4)
        else { return step }
        if type == .publish {
            try publish(packet, flags: byte & 0x0F, &step)
            return step
        }
        guard let packetID = Self.packetID(first) else {
            if isOpen { step.up = packet }
            return step
        }
        switch type {
        case .puback, .pubrec, .pubcomp:
            guard !ledgers.isEmpty else {
                if isOpen { step.up = packet }
                return step
            }
            let code = Self.code(first)
            write { $0.deviceAnswered(first, type, packetID, code: code, &step) }
        case .pubrel:
            write { $0.deviceReleased(first, packetID, &step) }
        case .subscribe, .unsubscribe:
            write { $0.request(first, packetID, &step) }
        case .connect, .connack, .publish, .suback, .unsuback, .pingreq, .pingresp, .disconnect, .auth:
            if isOpen { step.up = packet }
        }
        return step
    }

    private mutating func publish(
        _ packet: [ByteBuffer], flags: UInt8, _ step: inout Ledger.Step
    ) throws(MQTTError) {
        if flags & 0b0110 == 0, aliasMaximum == 0, isOpen, ledgers.isEmpty {
            step.up = packet
            return
        }
        guard let first = packet.first, let glance = PublishGlance(first, version: version) else {
            throw MQTTError(.malformed, clause: "\(version) 3.3", message: "PUBLISH: ends before its head does")
        }
        let packetID = glance.packetID ?? 0
        var forms = (leg: packet, full: packet)
        if aliasMaximum > 0, glance.needsDecoding {
            let whole = KeptPacket(joining: packet).first
            let (head, payload) = try PublishHead.decode(Frame(packet: whole, version: version), version: version)
            if let heads = try resolve(head, packetID, payloadLength: payload.readableBytes) {
                forms.leg = heads.leg.map { [$0, payload] } ?? packet
                forms.full = heads.full.map { [$0, payload] } ?? packet
            }
        }
        write {
            $0.publish(forms.leg, full: forms.full, packetID, isDuplicate: flags & 0b1000 != 0, &step)
        }
    }

    /// A long PUBLISH of the device; `head` is what the router made of it.
    mutating func begin(
        _ head: ByteBuffer, payloadLength: Int
    ) throws(MQTTError) -> Ledger.Step {
        var step = Ledger.Step()
        guard let glance = PublishGlance(head, version: version) else {
            throw MQTTError(.malformed, clause: "\(version) 3.3", message: "PUBLISH: ends before its head does")
        }
        var forms = (leg: head, full: head)
        if aliasMaximum > 0, glance.needsDecoding {
            let publish = try PublishHead.decode(head: head, version: version)
            if let heads = try resolve(publish, glance.packetID ?? 0, payloadLength: payloadLength) {
                forms = (heads.leg ?? head, heads.full ?? head)
            }
        }
        write {
            $0.begin(forms.leg, full: forms.full, payloadLength: payloadLength, glance.packetID ?? 0, &step)
        }
        return step
    }

    mutating func piece(_ bytes: ByteBuffer, isLast: Bool) -> Ledger.Step {
        var step = Ledger.Step()
        write { $0.piece(bytes, isLast: isLast, &step) }
        return step
    }

    /// A PUBLISH with an alias as this leg takes it, and as any would; `nil` where there is none, or for a form that is
    /// the one that came.
    private mutating func resolve(
        _ head: PublishHead, _ packetID: UInt16, payloadLength: Int
    ) throws(MQTTError) -> (leg: ByteBuffer?, full: ByteBuffer?)? {
        guard let alias = head.properties.topicAlias else { return nil }
        if aliases.isEmpty { aliases = [AliasBook(maximum: aliasMaximum)] }
        if !head.topic.isEmpty { aliases[0].set(alias, head.topic) }
        guard let topic = head.topic.isEmpty ? aliases[0][alias] : head.topic else {
            // Only the broker of this leg can know it.
            guard isOpen || aliases[0].isOverflown else {
                throw MQTTError(
                    .protocolError, clause: "MQTT 5 3.3.2.3.4", message: "PUBLISH has a topic alias that was never set")
            }
            return nil
        }
        var full = head
        full.topic = topic
        full.properties.topicAlias = nil
        let encoded = try full.encode(version: version, payloadLength: payloadLength)
        guard ledger?.mayGo(packetID, isPublish: true) ?? isOpen else { return (encoded, encoded) }
        if head.topic.isEmpty, aliases[0].isEstablished(alias) { return (nil, encoded) }
        guard aliases[0].establish(alias) else { return (encoded, encoded) }
        if !head.topic.isEmpty { return (nil, encoded) }
        full.properties.topicAlias = alias
        return (try full.encode(version: version, payloadLength: payloadLength), encoded)
    }

    /// Of everything but PUBLISH.
    private static func packetID(_ packet: ByteBuffer) -> UInt16? {
        var reader = packet
        guard reader.readInteger(as: UInt8.self) != nil else { return nil }
        for _ in 0..<4 {
            guard let lengthByte: UInt8 = reader.readInteger() else { return nil }
            if lengthByte & 0x80 == 0 { break }
        }
        guard let packetID: UInt16 = reader.readInteger(), packetID != 0 else { return nil }
        return packetID
    }

    /// The reason code of an acknowledgement; 0 where there is none.
    private static func code(_ packet: ByteBuffer) -> UInt8 {
        packet.readableBytes > 4 ? (try? Frame(packet: packet, version: .v5_0))?.acknowledgementCode ?? 0 : 0
    }
}

// MARK: - From the broker

extension Journal {
    mutating func received(_ frame: Frame) throws(MQTTError) -> Passage {
        var passage = Passage(frame: frame)
        switch frame.type {
        case .publish where frame.flags & 0b0110 != 0:
            guard let glance = PublishGlance(frame.bytes, version: version), let packetID = glance.packetID else {
                throw MQTTError(.malformed, clause: "\(version) 3.3", message: "PUBLISH: ends before its head does")
            }
            var delivery = Ledger.Delivery.swallow
            write {
                delivery = $0.delivery(
                    packetID, isExactlyOnce: glance.qos == .exactlyOnce, isDuplicate: frame.flags & 0b1000 != 0)
            }
            try apply(delivery, to: frame, packetID, &passage)
        case .pubrel:
            guard let packetID = frame.leadingPacketID else { break }
            var delivery = Ledger.Delivery.swallow
            write { delivery = $0.brokerReleased(packetID) }
            try apply(delivery, to: frame, packetID, &passage)
        case .puback, .pubrec, .pubcomp:
            acknowledged(frame, &passage)
        case .suback, .unsuback:
            try answered(frame, &passage)
        case .publish, .connect, .connack, .subscribe, .unsubscribe, .pingreq, .pingresp, .disconnect, .auth:
            break
        }
        return passage
    }

    private mutating func apply(
        _ delivery: Ledger.Delivery, to frame: Frame, _ brokerID: UInt16, _ passage: inout Passage
    ) throws(MQTTError) {
        switch delivery {
        case .pass(let deviceID):
            guard deviceID != brokerID else { return }
            passage.frame = try Frame(packet: frame.bytes.replacing(packetIDWith: deviceID), version: version)
        case .answer(let packet):
            passage.frame = nil
            answer(packet, &passage.step)
        case .swallow:
            passage.frame = nil
        }
    }

    /// The broker asks what it has not heard: so it does not matter that the leg may be silent by now.
    private mutating func answer(_ packet: ByteBuffer, _ step: inout Ledger.Step) {
        guard !ledgers.isEmpty else {
            step.up.append(packet)
            return
        }
        write { $0.emit(packet, &step) }
    }

    private mutating func acknowledged(_ frame: Frame, _ passage: inout Passage) {
        guard !ledgers.isEmpty, let packetID = frame.leadingPacketID else { return }
        let code = frame.acknowledgementCode
        var concernsDevice = true
        var step = Ledger.Step()
        write {
            switch frame.type {
            case .puback: concernsDevice = $0.brokerAcknowledged(packetID)
            case .pubrec: concernsDevice = $0.brokerReceived(packetID, code: code, &step)
            default: concernsDevice = $0.brokerCompleted(packetID)
            }
            $0.flush(&step)
        }
        passage.step = step
        if !concernsDevice { passage.frame = nil }
    }

    private mutating func answered(_ frame: Frame, _ passage: inout Passage) throws(MQTTError) {
        guard !ledgers.isEmpty, let packetID = frame.leadingPacketID else { return }
        if ledgers[0].own.contains(packetID) {
            passage.frame = nil
            var step = Ledger.Step()
            write {
                $0.own.remove(packetID)
                $0.flush(&step)
            }
            passage.step = step
            return
        }
        var request: KeptPacket?
        write { request = $0.brokerAnswered(packetID) }
        guard let request else { return }
        let asked = try Frame(packet: request.first, version: version)
        if frame.type == .suback, asked.type == .subscribe {
            let suback = try Suback.decode(frame, version: version)
            if books.isEmpty { books = [SubscriptionBook(policy)] }
            books[0].granted(try Subscribe.decode(asked, version: version), codes: suback.codes)
        } else if frame.type == .unsuback, asked.type == .unsubscribe, !books.isEmpty {
            let unsuback = try Unsuback.decode(frame, version: version)
            books[0].ended(try Unsubscribe.decode(asked, version: version), codes: unsuback.codes)
        }
        if books.first?.isEmpty == true { books = [] }
    }

    /// A long delivery: what becomes of it, and the head as the device is to have it.
    mutating func began(_ begin: StreamedPublish) throws(MQTTError) -> (StreamedPublish?, answer: ByteBuffer?) {
        guard let packetID = begin.publish.packetID else { return (begin, nil) }
        var delivery = Ledger.Delivery.swallow
        write {
            delivery = $0.delivery(
                packetID, isExactlyOnce: begin.publish.qos == .exactlyOnce, isDuplicate: begin.publish.isDuplicate)
        }
        switch delivery {
        case .pass(let deviceID):
            guard deviceID != packetID else { return (begin, nil) }
            var publish = begin.publish
            publish.packetID = deviceID
            return (
                StreamedPublish(
                    head: begin.head.replacing(packetIDWith: deviceID), flags: begin.flags, publish: publish,
                    payloadLength: begin.payloadLength), nil
            )
        case .answer(let packet): return (nil, packet)
        case .swallow: return (nil, nil)
        }
    }

    /// What the bridge has for the broker at the end of a delivery.
    mutating func reply(_ packet: ByteBuffer) -> Ledger.Step {
        var step = Ledger.Step()
        answer(packet, &step)
        return step
    }
}

// MARK: - The leg

extension Journal {
    mutating func pause() {
        isOpen = false
        if !ledgers.isEmpty { ledgers[0].pause() }
    }

    mutating func resume() -> Ledger.Step {
        isOpen = true
        var step = Ledger.Step()
        if !ledgers.isEmpty { write { $0.resume(&step) } }
        return step
    }

    mutating func lose() {
        isOpen = false
        if !ledgers.isEmpty { ledgers[0].lose() }
    }

    /// Another leg.
    ///
    /// - Parameters:
    ///   - isSessionPresent: The broker still knows the session.
    ///   - needsSubscriptions: Ask for them again.
    ///   - limits: Of the new leg.
    mutating func rejoin(
        isSessionPresent: Bool, needsSubscriptions: Bool, _ limits: LegLimits
    ) throws(MQTTError) -> (Ledger.Step, resent: Int) {
        isOpen = true
        if !aliases.isEmpty { aliases[0].startAnew(maximum: min(limits.topicAliasMaximum, aliasMaximum)) }
        let requests = needsSubscriptions ? books.first?.requests(version) ?? [] : []
        guard !ledgers.isEmpty || !requests.isEmpty || limits.isTight else { return (Ledger.Step(), 0) }
        let unused = ledger?.unusedIDs(requests.count) ?? Ledger.firstUnusedIDs(requests.count)
        var own: [(packetID: UInt16, packet: ByteBuffer)] = []
        for (request, packetID) in zip(requests, unused) {
            var request = request
            request.packetID = packetID
            own.append((packetID, try request.encode(version: version)))
        }
        var step = Ledger.Step()
        let resent = (ledger?.repeats ?? 0) + own.count
        write {
            if limits.receiveMaximum < .max { $0.window = Ledger.Window(limits.receiveMaximum) }
            $0.maximumPacketSize = limits.maximumPacketSize
            if isSessionPresent {
                for request in own {
                    $0.own.insert(request.packetID)
                    step.up.append(request.packet)
                }
                $0.rejoin(&step)
            } else {
                $0.startAnew(own, &step)
            }
        }
        return (step, resent)
    }

    /// What a silent leg is given when the session ends, if it ever answers.
    mutating func drain() -> (packets: [ByteBuffer], isInsidePacket: Bool) {
        guard !ledgers.isEmpty else { return ([], false) }
        return ledgers[0].drain()
    }
}

/// What the broker allows on a leg, as far as it can matter to packets that the device sent under other limits.
struct LegLimits: Sendable {
    var receiveMaximum = UInt16.max
    var topicAliasMaximum: UInt16 = 0
    /// Bytes; `nil` where it is no less than the device was told.
    var maximumPacketSize: Int?

    var isTight: Bool { receiveMaximum < .max || maximumPacketSize != nil }
}

extension Ledger {
    static func firstUnusedIDs(_ count: Int) -> [UInt16] {
        (0..<min(count, Int(UInt16.max))).map { UInt16.max - UInt16($0) }
    }
}

extension ByteBuffer {
    /// A PUBLISH at QoS 1 or 2, or an acknowledgement, with another packet identifier.
    func replacing(packetIDWith packetID: UInt16) -> ByteBuffer {
        var index = readerIndex
        guard let first = getInteger(at: index, as: UInt8.self) else { return self }
        index += 1
        for _ in 0..<4 {
            guard let lengthByte = getInteger(at: index, as: UInt8.self) else { return self }
            index += 1
            if lengthByte & 0x80 == 0 { break }
        }
        if first >> 4 == PacketType.publish.rawValue {
            guard let topicLength = getInteger(at: index, as: UInt16.self) else { return self }
            index += 2 + Int(topicLength)
        }
        guard index + 2 <= writerIndex else { return self }
        var copy = self
        copy.setInteger(packetID, at: index)
        return copy
    }
}

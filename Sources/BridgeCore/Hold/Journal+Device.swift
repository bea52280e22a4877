import MQTTCodec
import NIOCore

// What the device sends.
extension Journal {
    /// Notes a packet of the device, or of the router in its name, in one buffer or two.
    ///
    /// A packet that can't be understood is left to the broker to judge. On an open leg it goes up in its place. While
    /// there is none it waits in its place like a message at QoS 0, its bytes as they came, and goes up with the return
    /// or is dropped with the oldest of those messages.
    ///
    /// - Parameter receipt: What the device gets once the packet has gone out. If it goes out at once, the caller sees to
    ///   that.
    mutating func send(
        _ packet: BufferList, receipt: Receipt? = nil, _ step: inout Ledger.Step
    ) throws(MQTTError) {
        guard let first = packet.first, let byte = first.getInteger(at: first.readerIndex, as: UInt8.self),
            let type = PacketType(rawValue: byte >> 4)
        else { return }
        if type == .publish { return try publish(packet, flags: byte & 0x0F, receipt, &step) }
        if type == .pingreq {
            // PINGREQ waits for nothing. While there is no leg it is answered, and not handed over.
            if isOpen { step.up = packet }
            return
        }
        guard let packetID = Self.packetID(first) else { return pass(packet, &step) }
        switch type {
        case .puback, .pubrec, .pubcomp:
            guard !ledgers.isEmpty else {
                if isOpen { step.up = packet }
                return
            }
            let code = Self.code(first, version)
            write { $0.deviceAnswered(first, type, packetID, code: code, &step) }
        case .pubrel:
            write { $0.deviceReleased(first, packetID, &step) }
        case .subscribe, .unsubscribe:
            write { $0.request(first, packetID, &step) }
        case .connect, .connack, .publish, .suback, .unsuback, .pingreq, .pingresp, .disconnect, .auth:
            pass(packet, &step)
        }
    }

    /// A packet for which the ledger has no entry, in its place between others.
    private mutating func pass(_ packet: BufferList, _ step: inout Ledger.Step) {
        if isOpen, ledgers.isEmpty {
            step.up = packet
        } else {
            write { $0.publish(packet, full: packet, 0, isDuplicate: false, expires: .distantFuture, nil, &step) }
        }
    }

    /// A long PUBLISH whose head can't be read.
    mutating func begin(_ unread: UnreadPublish) -> Ledger.Step {
        var step = Ledger.Step()
        write {
            $0.begin(
                unread.start, full: unread.start, payloadLength: unread.restLength, 0, isDuplicate: false,
                expires: .distantFuture, &step)
        }
        return step
    }

    private mutating func publish(
        _ packet: BufferList, flags: UInt8, _ receipt: Receipt?, _ step: inout Ledger.Step
    ) throws(MQTTError) {
        if flags & 0b0110 == 0, told.topicAliasMaximum == 0, isOpen, ledgers.isEmpty {
            if flags & 1 != 0 { noteRetained { $0.published(packet) } }
            step.up = packet
            return
        }
        guard let first = packet.first, let glance = PublishGlance(first, version: version) else {
            return pass(packet, &step)
        }
        let packetID = glance.packetID ?? 0
        let expires = expiry(of: first, glance)
        guard told.topicAliasMaximum > 0, glance.needsDecoding else {
            return note(packet, full: packet, packetID, flags, expires, receipt, &step)
        }
        let whole = KeptPacket(joining: packet).first
        guard let frame = try? Frame(packet: whole, version: version, reading: .lenient),
            let (head, payload) = try? PublishHead.decode(frame, version: version, isLenient: true),
            let heads = try resolve(head, packetID, payloadLength: payload.readableBytes)
        else { return note(packet, full: packet, packetID, flags, expires, receipt, &step) }
        let leg = heads.leg.map { BufferList($0, payload) } ?? packet
        note(leg, full: heads.full.map { BufferList($0, payload) } ?? packet, packetID, flags, expires, receipt, &step)
    }

    /// When a message is of no use any more. Only properties say so.
    private func expiry(of publish: ByteBuffer, _ glance: PublishGlance) -> NIODeadline {
        glance.needsDecoding ? policy.expiry(of: publish, version) : .distantFuture
    }

    /// Notes a PUBLISH in the form for this leg, and in the form for any leg.
    private mutating func note(
        _ leg: BufferList, full: BufferList, _ packetID: UInt16, _ flags: UInt8, _ expires: NIODeadline,
        _ receipt: Receipt?, _ step: inout Ledger.Step
    ) {
        if flags & 1 != 0 { noteRetained { $0.published(full) } }
        write {
            $0.publish(leg, full: full, packetID, isDuplicate: flags & 0b1000 != 0, expires: expires, receipt, &step)
        }
    }

    /// A long PUBLISH of the device; `head` is what the router made of it.
    ///
    /// - Parameter receipt: What the device gets, from here, once the whole message has gone out.
    mutating func begin(
        _ head: ByteBuffer, payloadLength: Int, receipt: Receipt? = nil
    ) throws(MQTTError) -> Ledger.Step {
        var step = Ledger.Step()
        guard let glance = PublishGlance(head, version: version) else {
            return begin(UnreadPublish(start: head, restLength: payloadLength, error: nil))
        }
        let expires = expiry(of: head, glance)
        var forms = (leg: head, full: head)
        if told.topicAliasMaximum > 0, glance.needsDecoding {
            if let publish = try? PublishHead.decode(head: head, version: version, isLenient: true),
                let heads = try resolve(publish, glance.packetID ?? 0, payloadLength: payloadLength)
            {
                forms = (heads.leg ?? head, heads.full ?? head)
            }
        }
        noteRetained { $0.began(forms.full) }
        write {
            $0.begin(
                forms.leg, full: forms.full, payloadLength: payloadLength, glance.packetID ?? 0,
                isDuplicate: glance.isDuplicate, expires: expires, receipt: receipt, &step)
        }
        return step
    }

    mutating func piece(_ bytes: ByteBuffer, isLast: Bool) -> Ledger.Step {
        var step = Ledger.Step()
        write { $0.piece(bytes, isLast: isLast, &step) }
        return step
    }

    /// A PUBLISH with an alias in the form for this leg, and in the form for any leg. `nil` if there is no alias, or
    /// for a form that is the one that came. An alias that the device was not allowed, or never set, is left to the
    /// broker.
    private mutating func resolve(
        _ head: PublishHead, _ packetID: UInt16, payloadLength: Int
    ) throws(MQTTError) -> (leg: ByteBuffer?, full: ByteBuffer?)? {
        guard let alias = head.properties.topicAlias, alias <= told.topicAliasMaximum,
            !head.properties.hasUnread(.topicAlias)
        else { return nil }
        if aliases.isEmpty { aliases = [AliasBook(maximum: aliasMaximum)] }
        if !head.topic.isEmpty { aliases[0].set(alias, head.topic) }
        guard let topic = head.topic.isEmpty ? aliases[0][alias] : head.topic else { return nil }
        var full = head
        full.topic = topic
        full.properties.topicAlias = nil
        let encoded = try full.encode(version: version, payloadLength: payloadLength)
        guard ledger?.mayGo(packetID, isPublish: true) ?? isOpen,
            ledger?.isFinished(packetID, isDuplicate: head.isDuplicate) != true
        else { return (encoded, encoded) }
        if head.topic.isEmpty, aliases[0].isEstablished(alias) { return (nil, encoded) }
        guard aliases[0].establish(alias) else { return (encoded, encoded) }
        if !head.topic.isEmpty { return (nil, encoded) }
        full.properties.topicAlias = alias
        return (try full.encode(version: version, payloadLength: payloadLength), encoded)
    }

    /// The packet identifier of anything but a PUBLISH.
    private static func packetID(_ packet: ByteBuffer) -> UInt16? {
        let packetID = packet.withUnsafeReadableBytes { bytes -> UInt16 in
            guard let start = bytes.endOfFixedHeader, start + 2 <= bytes.count else { return 0 }
            return bytes.bigEndian(at: start)
        }
        return packetID == 0 ? nil : packetID
    }

    /// The reason code of an acknowledgement; 0 if it has none.
    private static func code(_ packet: ByteBuffer, _ version: MQTTVersion) -> UInt8 {
        guard version.hasProperties, packet.readableBytes > 4 else { return 0 }
        return (try? Frame(packet: packet, version: version, reading: .lenient))?.acknowledgementCode ?? 0
    }
}

import MQTTCodec
import NIOCore

// What the device sends.
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
        if flags & 0b0110 == 0, told.topicAliasMaximum == 0, isOpen, ledgers.isEmpty {
            if flags & 1 != 0 { noteRetained { $0.published(packet) } }
            step.up = packet
            return
        }
        guard let first = packet.first, let glance = PublishGlance(first, version: version) else {
            throw MQTTError(.malformed, clause: "\(version) 3.3", message: "PUBLISH: ends before its head does")
        }
        let packetID = glance.packetID ?? 0
        var forms = (leg: packet, full: packet)
        if told.topicAliasMaximum > 0, glance.needsDecoding {
            let whole = KeptPacket(joining: packet).first
            let (head, payload) = try PublishHead.decode(Frame(packet: whole, version: version), version: version)
            if let heads = try resolve(head, packetID, payloadLength: payload.readableBytes) {
                forms.leg = heads.leg.map { [$0, payload] } ?? packet
                forms.full = heads.full.map { [$0, payload] } ?? packet
            }
        }
        if flags & 1 != 0 { noteRetained { $0.published(forms.full) } }
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
        if told.topicAliasMaximum > 0, glance.needsDecoding {
            let publish = try PublishHead.decode(head: head, version: version)
            if let heads = try resolve(publish, glance.packetID ?? 0, payloadLength: payloadLength) {
                forms = (heads.leg ?? head, heads.full ?? head)
            }
        }
        noteRetained { $0.began(forms.full) }
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

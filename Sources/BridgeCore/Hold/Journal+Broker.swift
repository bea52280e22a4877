import MQTTCodec
import NIOCore

// What the broker sends.
extension Journal {
    mutating func received(_ frame: Frame) throws(MQTTError) -> Passage {
        var passage = Passage(frame: frame)
        switch frame.type {
        case .publish where frame.flags & 0b0110 != 0:
            // Another client published it like that.
            guard let glance = PublishGlance(frame.bytes, version: version), let packetID = glance.packetID else {
                break
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
            passage.frame = try Frame(
                packet: frame.bytes.replacing(packetIDWith: deviceID), version: version, reading: .lenientMessages)
        case .answer(let packet):
            passage.frame = nil
            answer(packet, &passage.step)
        case .swallow:
            passage.frame = nil
        }
    }

    /// The broker asks about something that it has not heard, so it does not matter if the leg's path is silent by now.
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
        write {
            switch frame.type {
            case .puback: concernsDevice = $0.brokerAcknowledged(packetID)
            case .pubrec: concernsDevice = $0.brokerReceived(packetID, code: code, &passage.step)
            default: concernsDevice = $0.brokerCompleted(packetID)
            }
            $0.flush(&passage.step)
        }
        if !concernsDevice { passage.frame = nil }
    }

    private mutating func answered(_ frame: Frame, _ passage: inout Passage) throws(MQTTError) {
        guard !ledgers.isEmpty, let packetID = frame.leadingPacketID else { return }
        if ledgers[0].own.contains(packetID) {
            passage.frame = nil
            if frame.type == .suback {
                let suback = try? Suback.decode(frame, version: version, isLenient: true)
                passage.refusedFilters = suback?.codes.count { $0 >= 0x80 } ?? 0
            }
            var step = Ledger.Step()
            write {
                $0.own.remove(packetID)
                $0.flush(&step)
            }
            passage.step = step
            return
        }
        var request: UpFlow?
        write { request = $0.brokerAnswered(packetID) }
        guard let request else { return }
        if let packet = request.kept { return note(frame, of: packet) }
        // What the broker has granted or ended is not known any more.
        if books.isEmpty { books = [SubscriptionBook(policy)] }
        books[0].overflow()
    }

    /// If one of the two can't be read, the subscription is not noted, and would not be asked for again. The device has
    /// its answer.
    private mutating func note(_ answer: Frame, of request: KeptPacket) {
        guard let asked = try? Frame(packet: request.first, version: version, reading: .lenient) else { return }
        if answer.type == .suback, asked.type == .subscribe {
            guard let suback = try? Suback.decode(answer, version: version, isLenient: true),
                let subscribe = try? Subscribe.decode(asked, version: version, isLenient: true)
            else { return }
            if books.isEmpty { books = [SubscriptionBook(policy)] }
            books[0].granted(subscribe, codes: suback.codes)
        } else if answer.type == .unsuback, asked.type == .unsubscribe, !books.isEmpty {
            guard let unsuback = try? Unsuback.decode(answer, version: version, isLenient: true),
                let unsubscribe = try? Unsubscribe.decode(asked, version: version, isLenient: true)
            else { return }
            books[0].ended(unsubscribe, codes: unsuback.codes)
        }
        if books.first?.isEmpty == true { books = [] }
    }

    /// What happens to a long delivery, and its head in the form for the device.
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

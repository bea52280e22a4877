import NIOCore

extension MessageFormat {
    /// The payload of a message that `%J` had to print is not JSON.
    struct PayloadError: Error, Equatable {
        var problem: JSONScanner.Problem
    }

    /// Appends the message to `output`.
    ///
    /// - Parameter isPretty: Whether JSON is written on several lines.
    /// - Throws: If `%J` meets a payload that is not JSON. Everything but that field is written nevertheless, as
    ///   mosquitto_sub does.
    func render(
        _ message: ReceivedMessage, at time: MessageTime, isPretty: Bool = false, into output: inout ByteBuffer
    ) throws(PayloadError) {
        var problem: PayloadError?
        for part in parts {
            switch part {
            case .literal(let bytes): output.writeBytes(bytes)
            case .time(let format): output.writeString(time.formatted(format))
            case .nanoseconds: output.writeString(time.fraction)
            case .field(.json, _):
                MessageJSON.write(message, time, isPretty: isPretty, into: &output)
            case .field(.jsonPayload, _):
                do throws(JSONScanner.Problem) {
                    try MessageJSON.writeUnquoted(message, time, isPretty: isPretty, into: &output)
                } catch {
                    problem = problem ?? PayloadError(problem: error)
                }
            case .field(let field, let layout):
                FieldWriter(message: message, time: time, layout: layout).write(field, into: &output)
            }
        }
        if let problem { throw problem }
    }
}

/// Writes one field of one message.
private struct FieldWriter {
    let message: ReceivedMessage
    let time: MessageTime
    let layout: MessageFormat.Layout

    func write(_ field: MessageFormat.Field, into output: inout ByteBuffer) {
        let properties = message.properties
        switch field {
        case .topicAlias: number(properties.topicAlias, into: &output)
        case .expiry: number(properties.expiry, into: &output)
        case .payloadFormat: number(properties.payloadFormat, into: &output)
        case .subscriptionIdentifier: number(properties.subscriptionIdentifiers.first, into: &output)
        case .length: number(message.payload.readableBytes, into: &output)
        case .packetID: number(message.packetID, into: &output)
        case .contentType: text(properties.contentType ?? "", into: &output)
        case .topic: text(message.topic, into: &output)
        case .isoTime: text(time.iso8601, into: &output)
        // The width of these fields means nothing, as in mosquitto_sub.
        case .responseTopic: if let topic = properties.responseTopic { text(topic, into: &output) }
        case .correlationData: output.writeBytes(properties.correlationData ?? [])
        case .userProperties:
            let pairs = properties.userProperties.map { "\($0.name):\($0.value)" }
            output.writeString(pairs.joined(separator: " "))
        case .qos: output.writeString(String(message.qos))
        case .retain: output.writeString(message.isRetained ? "1" : "0")
        case .unixTime: output.writeString(time.unix)
        case .payload: payload(into: &output)
        case .hexPayload: hexadecimal("0123456789abcdef", into: &output)
        case .hexPayloadUpper: hexadecimal("0123456789ABCDEF", into: &output)
        case .json, .jsonPayload: break  // Not fields with a layout; the caller writes them.
        }
    }

    private func number(_ value: (some BinaryInteger)?, into output: inout ByteBuffer) {
        padded(value.map { Array(String($0).utf8) } ?? [], isNumber: true, into: &output)
    }

    private func text(_ value: String, into output: inout ByteBuffer) {
        var bytes = Array(value.utf8)
        if let maximum = layout.maximum { bytes = Array(bytes.prefix(maximum)) }
        padded(bytes, isNumber: false, into: &output)
    }

    /// A width also limits the payload, as in mosquitto_sub.
    private func payload(into output: inout ByteBuffer) {
        let bytes = message.payload.readableBytesView
        padded(layout.width > 0 ? bytes.prefix(layout.width) : bytes, isNumber: true, into: &output)
    }

    private func hexadecimal(_ digits: StaticString, into output: inout ByteBuffer) {
        let all = message.payload.readableBytesView
        let shown = layout.width > 0 ? all.prefix(layout.width / 2) : all
        var text: [UInt8] = []
        text.reserveCapacity(shown.count * 2)
        digits.withUTF8Buffer { digits in
            for byte in shown {
                text.append(digits[Int(byte >> 4)])
                text.append(digits[Int(byte & 0xF)])
            }
        }
        padded(text, isNumber: true, into: &output)
    }

    /// - Parameter isNumber: Whether the field may be padded with zeros.
    private func padded(_ bytes: some Collection<UInt8>, isNumber: Bool, into output: inout ByteBuffer) {
        let missing = max(0, layout.width - bytes.count)
        let isZero = isNumber && layout.isZeroPadded && !layout.isLeftAligned
        if !layout.isLeftAligned {
            output.writeRepeatingByte(isZero ? UInt8(ascii: "0") : UInt8(ascii: " "), count: missing)
        }
        output.writeBytes(bytes)
        if layout.isLeftAligned { output.writeRepeatingByte(UInt8(ascii: " "), count: missing) }
    }
}

import NIOCore

/// Where the payload of a PUBLISH begins, as far as its first bytes tell.
enum PublishHeadLength: Equatable {
    /// The length of the fixed header and the variable header in bytes.
    case known(Int)
    /// The length cannot be told from fewer bytes than these, and is not less.
    case atLeast(Int)

    /// - Parameter received: Begins with the fixed header that `header` represents. What follows the packet is not read.
    static func find(_ received: ByteBuffer, _ header: FixedHeader, _ version: MQTTVersion) throws(MQTTError) -> Self {
        let packetBytes = min(received.readableBytes, header.packetLength)
        let bytes = received.getSlice(at: received.readerIndex, length: packetBytes) ?? ByteBuffer()
        let topicLengthEnd = header.length + 2
        guard let topicLength = bytes.getInteger(at: bytes.readerIndex + header.length, as: UInt16.self) else {
            return .atLeast(topicLengthEnd)
        }
        let qos = header.flags >> 1 & 0b11
        let fieldsEnd = topicLengthEnd + Int(topicLength) + (qos == 0 ? 0 : 2)
        guard version.hasProperties else { return .known(fieldsEnd) }

        switch VariableByteInteger.read(bytes, at: bytes.readerIndex + fieldsEnd) {
        case .incomplete:
            return .atLeast(max(fieldsEnd, bytes.readableBytes) + 1)
        case .tooLong:
            throw MQTTError(
                .malformed, .variableByteInteger, version, "PUBLISH: property length has more than four bytes")
        case .value(let propertyLength, let length):
            return .known(fieldsEnd + length + propertyLength)
        }
    }
}

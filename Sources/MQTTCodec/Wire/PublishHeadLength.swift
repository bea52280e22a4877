import NIOCore

/// Where the payload of a PUBLISH begins, as far as its first bytes tell.
enum PublishHeadLength: Equatable {
    /// The length of the fixed header and the variable header in bytes.
    case known(Int)
    /// The length cannot be told from fewer bytes than these, and is not less.
    case atLeast(Int)

    /// - Parameters:
    ///   - received: Begins with the fixed header that `header` represents.
    ///   - length: How many of its bytes are looked at: no more than the last answer asked for, so that the first error
    ///     is the same however the stream is cut. What follows the packet is not among them.
    static func find(
        _ received: ByteBuffer, _ length: Int, _ header: FixedHeader, _ version: MQTTVersion
    ) throws(MQTTError) -> Self {
        let bytes = received.getSlice(at: received.readerIndex, length: length) ?? ByteBuffer()
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

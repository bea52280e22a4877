import NIOCore

/// The Message Expiry Interval of an encoded PUBLISH of 5.0, in its place (MQTT 5 3.3.2.3.3).
package struct MessageExpiryField: Sendable, Equatable {
    /// For how long the message is of use, in seconds.
    package let interval: UInt32
    /// Where the interval stands, counted from the first byte of the packet.
    private let offset: Int

    /// - Parameter publish: Begins with a PUBLISH of 5.0, and holds at least its head.
    /// - Returns: `nil` if the message has no such property, or one that cannot be reached.
    package init?(in publish: ByteBuffer) {
        guard
            let header = try? FixedHeader.parse(publish, version: .v5_0, reading: .lenient), header.type == .publish,
            let topicLength = publish.getInteger(at: publish.readerIndex + header.length, as: UInt16.self)
        else { return nil }
        let hasPacketID = header.flags & 0b0110 != 0
        let fieldsEnd = publish.readerIndex + header.length + 2 + Int(topicLength) + (hasPacketID ? 2 : 0)
        guard case .value(let length, let bytes) = VariableByteInteger.read(publish, at: fieldsEnd), length > 0,
            var properties = publish.getSlice(at: fieldsEnd + bytes, length: length)
        else { return nil }
        while let identifier = PropertyIdentifier(first: properties), let end = identifier.end(in: properties) {
            if identifier == .messageExpiryInterval {
                guard let interval = properties.getInteger(at: properties.readerIndex + 1, as: UInt32.self) else {
                    break
                }
                self.interval = interval
                offset = fieldsEnd + bytes + length - properties.readableBytes + 1 - publish.readerIndex
                return
            }
            properties.moveReaderIndex(to: end)
        }
        return nil
    }

    /// Puts another interval in its place.
    ///
    /// - Parameters:
    ///   - interval: In seconds.
    ///   - publish: The packet in which the field was found.
    package func set(_ interval: UInt32, in publish: inout ByteBuffer) {
        publish.setInteger(interval, at: publish.readerIndex + offset)
    }
}

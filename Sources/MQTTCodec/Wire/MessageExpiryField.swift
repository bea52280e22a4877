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
        // Each message that is kept is looked at like this, and reading integer by integer would cost several times as much.
        guard let field = publish.withUnsafeReadableBytes({ MessageExpiryField($0) }) else { return nil }
        self = field
    }

    private init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 4, bytes[0] >> 4 == PacketType.publish.rawValue else { return nil }
        var topic = 2
        while topic < 5, bytes[topic - 1] & 0x80 != 0 { topic += 1 }
        guard topic + 2 <= bytes.count else { return nil }
        let topicLength = Int(bytes[topic]) << 8 | Int(bytes[topic + 1])
        let fieldsEnd = topic + 2 + topicLength + (bytes[0] & 0b0110 == 0 ? 0 : 2)
        // Most messages have no properties.
        guard fieldsEnd < bytes.count, bytes[fieldsEnd] != 0 else { return nil }
        guard case .value(let length, let size) = VariableByteInteger.read(bytes, at: fieldsEnd) else { return nil }
        var index = fieldsEnd + size
        let end = index + length
        guard end <= bytes.count else { return nil }
        while index < end, let identifier = PropertyIdentifier(rawValue: bytes[index]) {
            guard let next = identifier.end(in: bytes, at: index + 1), next <= end else { return nil }
            if identifier == .messageExpiryInterval {
                interval = bytes[(index + 1)..<next].reduce(0) { $0 << 8 | UInt32($1) }
                offset = index + 1
                return
            }
            index = next
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

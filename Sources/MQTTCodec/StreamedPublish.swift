import NIOCore

/// The beginning of a long PUBLISH whose head could not be read, or was not meant to be. The rest follows in pieces.
package struct UnreadPublish: Sendable, Equatable {
    /// The fixed header, and perhaps some of what follows it.
    package let start: ByteBuffer
    /// How many bytes follow.
    package let restLength: Int
    /// What is wrong with the head; `nil` if it was not read.
    package let error: MQTTError?

    package init(start: ByteBuffer, restLength: Int, error: MQTTError?) {
        self.start = start
        self.restLength = restLength
        self.error = error
    }
}

/// The beginning of a PUBLISH that is too long to be kept whole. Its payload follows in pieces.
package struct StreamedPublish: Sendable, Equatable {
    /// The fixed header and the variable header as they were received.
    package let head: ByteBuffer
    /// The lower four bits of the first byte.
    package let flags: UInt8
    /// `head`, decoded.
    package let publish: PublishHead
    /// The length of the whole payload in bytes.
    package let payloadLength: Int

    package init(head: ByteBuffer, flags: UInt8, publish: PublishHead, payloadLength: Int) {
        self.head = head
        self.flags = flags
        self.publish = publish
        self.payloadLength = payloadLength
    }
}

extension UnreadPublish {
    /// The length of the whole packet in bytes.
    package var packetLength: Int { start.readableBytes + restLength }

    /// The lower four bits of the first byte.
    package var flags: UInt8 { (start.getInteger(at: start.readerIndex, as: UInt8.self) ?? 0) & 0x0F }
}

extension StreamedPublish {
    /// The length of the whole packet in bytes.
    package var packetLength: Int { head.readableBytes + payloadLength }
}

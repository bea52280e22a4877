import NIOCore

/// The beginning of a long PUBLISH whose head could not be read, or was not to be. What follows comes in pieces.
package struct UnreadPublish: Sendable, Equatable {
    /// The fixed header, and maybe some of what follows it.
    package let start: ByteBuffer
    /// Bytes of all that follows.
    package let restLength: Int
    /// What is wrong with it; `nil` where nobody has looked.
    package let error: MQTTError?

    package init(start: ByteBuffer, restLength: Int, error: MQTTError?) {
        self.start = start
        self.restLength = restLength
        self.error = error
    }
}

/// The beginning of a PUBLISH that is too long to be kept whole. Its payload follows in pieces.
package struct StreamedPublish: Sendable, Equatable {
    /// Fixed header and variable header as they came in.
    package let head: ByteBuffer
    /// The lower four bits of the first byte.
    package let flags: UInt8
    /// `head`, decoded.
    package let publish: PublishHead
    /// Bytes of all the payload that follows.
    package let payloadLength: Int

    package init(head: ByteBuffer, flags: UInt8, publish: PublishHead, payloadLength: Int) {
        self.head = head
        self.flags = flags
        self.publish = publish
        self.payloadLength = payloadLength
    }
}

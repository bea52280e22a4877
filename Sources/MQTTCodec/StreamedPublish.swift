import NIOCore

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

import NIOCore

package struct StreamedPublish: Sendable, Equatable {
    package let head: ByteBuffer
    package let flags: UInt8
    package let publish: PublishHead
    package let payloadLength: Int

    package init(head: ByteBuffer, flags: UInt8, publish: PublishHead, payloadLength: Int) {
        self.head = head
        self.flags = flags
        self.publish = publish
        self.payloadLength = payloadLength
    }
}

package struct FrameDecoder: Sendable {
    package enum Element: Sendable, Equatable {
        case packet(Frame)
        case publishBegin(StreamedPublish)
        case payload(ByteBuffer, isLast: Bool)
    }

    package var version: MQTTVersion?

    package init(maximumPacketSize: Int, streamingThreshold: Int = 65_536, maximumBufferedSize: Int) {
    }

    package mutating func append(_ buffer: ByteBuffer) {}
    package mutating func next() throws(MQTTError) -> Element? { nil }
    package var bufferedBytes: Int { 0 }
}

import NIOCore

/// One whole packet whose fixed header has been checked, not parsed deeper.
package struct Frame: Sendable, Equatable {
    /// The packet with its fixed header: a slice of what came in.
    package let bytes: ByteBuffer
    /// Bytes of the fixed header, 2...5.
    package let headerLength: Int
    package let type: PacketType
    /// The lower four bits of the first byte.
    package let flags: UInt8

    /// - Precondition: `bytes` is exactly the packet that `header` begins.
    init(_ header: FixedHeader, bytes: ByteBuffer) {
        assert(bytes.readableBytes == header.packetLength)
        self.bytes = bytes
        self.headerLength = header.length
        self.type = header.type
        self.flags = header.flags
    }

    /// What follows the fixed header.
    package var body: ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + headerLength, length: bytes.readableBytes - headerLength) ?? ByteBuffer()
    }
}

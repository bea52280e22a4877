import NIOCore

/// One whole packet of which only the fixed header has been read.
package struct Frame: Sendable, Equatable {
    /// The packet with its fixed header: a slice of what was received.
    package let bytes: ByteBuffer
    /// The length of the fixed header in bytes, 2...5.
    package let headerLength: Int
    /// The upper four bits of the first byte.
    package let type: PacketType
    /// The lower four bits of the first byte.
    package let flags: UInt8
    /// Whether the specification allows the fixed header. Only a lenient reading lets others pass.
    package let isRegular: Bool

    /// - Precondition: `bytes` is exactly the packet that begins with `header`.
    init(_ header: FixedHeader, bytes: ByteBuffer) {
        assert(bytes.readableBytes == header.packetLength)
        self.bytes = bytes
        self.headerLength = header.length
        self.type = header.type
        self.flags = header.flags
        self.isRegular = header.isRegular
    }

    /// What follows the fixed header, as a slice.
    package var body: ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + headerLength, length: bytes.readableBytes - headerLength) ?? ByteBuffer()
    }

    /// The frame that `bytes` represent.
    ///
    /// - Parameter version: `nil` accepts CONNECT only.
    /// - Throws: If `bytes` are not exactly one whole packet, or its fixed header is malformed.
    package init(packet bytes: ByteBuffer, version: MQTTVersion?, reading: Reading = .strict) throws(MQTTError) {
        let header = try FixedHeader.parse(bytes, version: version, reading: reading)
        guard let header, header.packetLength == bytes.readableBytes else {
            throw MQTTError(
                .malformed, .remainingLength, version ?? .v5_0, "the bytes are not one whole packet")
        }
        self.init(header, bytes: bytes)
    }

    /// `FixedHeader` checks this by itself except for CONNECT, whose version it cannot know.
    func checkShortestLength() throws(MQTTError) {
        let remaining = bytes.readableBytes - headerLength
        try FixedHeader(type: type, flags: flags, remainingLength: remaining, length: headerLength)
            .checkShortestLength()
    }
}

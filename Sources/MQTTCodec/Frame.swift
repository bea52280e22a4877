import NIOCore

/// One whole packet whose fixed header has been read, not parsed deeper.
package struct Frame: Sendable, Equatable {
    /// The packet with its fixed header: a slice of what came in.
    package let bytes: ByteBuffer
    /// Bytes of the fixed header, 2...5.
    package let headerLength: Int
    package let type: PacketType
    /// The lower four bits of the first byte.
    package let flags: UInt8
    /// Its fixed header is one that the specification allows. Only a lenient reading lets others pass.
    package let isRegular: Bool

    /// - Precondition: `bytes` is exactly the packet that `header` begins.
    init(_ header: FixedHeader, bytes: ByteBuffer) {
        assert(bytes.readableBytes == header.packetLength)
        self.bytes = bytes
        self.headerLength = header.length
        self.type = header.type
        self.flags = header.flags
        self.isRegular = header.isRegular
    }

    /// What follows the fixed header.
    package var body: ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + headerLength, length: bytes.readableBytes - headerLength) ?? ByteBuffer()
    }

    /// The frame that `bytes` are, where they are exactly one packet and not a stream of them.
    ///
    /// - Parameter version: `nil` accepts CONNECT only.
    package init(packet bytes: ByteBuffer, version: MQTTVersion?, reading: Reading = .strict) throws(MQTTError) {
        let header = try FixedHeader.parse(bytes, version: version, reading: reading)
        guard let header, header.packetLength == bytes.readableBytes else {
            throw MQTTError(
                .malformed, .remainingLength, version ?? .v5_0, "the bytes are not one whole packet")
        }
        self.init(header, bytes: bytes)
    }

    /// What `FixedHeader` checks at once everywhere but in CONNECT, whose version it can't know.
    func checkShortestLength() throws(MQTTError) {
        let remaining = bytes.readableBytes - headerLength
        try FixedHeader(type: type, flags: flags, remainingLength: remaining, length: headerLength)
            .checkShortestLength()
    }
}

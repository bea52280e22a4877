import NIOCore

/// Joins datagrams to the same address into one write, which the kernel cuts into datagrams again (UDP GSO).
///
/// All datagrams of a write have the size of the first; only the last may be shorter.
struct DatagramBatch {
    /// One system call takes no more than fits into an IP packet.
    static let maximumBytes = 65_000
    /// The kernel's `UDP_MAX_SEGMENTS`.
    static let maximumSegments = 64

    private(set) var remote: SocketAddress
    private(set) var bytes: ByteBuffer
    private(set) var segments = 1
    private let segmentSize: Int
    private var isFull = false

    init(_ bytes: ByteBuffer, remote: SocketAddress) {
        self.bytes = bytes
        self.remote = remote
        self.segmentSize = bytes.readableBytes
    }

    /// - Returns: Whether the datagram fits. If not, it has to begin a new batch.
    mutating func append(_ datagram: ByteBuffer, remote: SocketAddress) -> Bool {
        let size = datagram.readableBytes
        guard !isFull, size <= segmentSize, segments < Self.maximumSegments,
            bytes.readableBytes + size <= Self.maximumBytes, remote == self.remote
        else { return false }
        bytes.writeImmutableBuffer(datagram)
        segments += 1
        isFull = size < segmentSize
        return true
    }

    var envelope: AddressedEnvelope<ByteBuffer> {
        guard segments > 1 else { return AddressedEnvelope(remoteAddress: remote, data: bytes) }
        let metadata = AddressedEnvelope<ByteBuffer>.Metadata(
            ecnState: .transportNotCapable, packetInfo: nil, segmentSize: segmentSize)
        return AddressedEnvelope(remoteAddress: remote, data: bytes, metadata: metadata)
    }
}

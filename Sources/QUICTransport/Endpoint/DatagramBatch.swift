import NIOCore

/// Joins datagrams to one address into one write for the kernel to cut again (UDP GSO).
///
/// All datagrams of a write have the size of the first; only the last may be shorter.
struct DatagramBatch {
    /// What one system call takes: an IP packet's length, and the kernel's own `UDP_MAX_SEGMENTS`.
    static let maximumBytes = 65_000
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

    /// Takes the datagram in where it fits; answers false where a new batch has to begin.
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

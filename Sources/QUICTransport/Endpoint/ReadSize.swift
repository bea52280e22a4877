import CNGTCP2
import NIOCore

/// How many datagrams a socket takes with one system call.
///
/// Preparing a call for many datagrams costs time, which a socket that gets one now and then should not spend. A busy
/// one takes all that has come at once, and so answers it with one acknowledgement and hands it on by one write.
struct ReadSize {
    static let few = 16
    static let many = 64
    /// After so many reads in a row that `few` would have been enough for, `many` is too much.
    private static let patience = 1_000

    private(set) var current = ReadSize.few
    private var count = 0
    private var smallReads = 0

    /// A datagram was read.
    mutating func received() {
        count += 1
    }

    /// A read is over.
    /// - Returns: The size of the next read if it changes.
    mutating func readEnded() -> Int? {
        let read = count
        count = 0
        guard current == Self.many else { return read >= Self.few ? change(to: Self.many) : nil }
        smallReads = read < Self.few ? smallReads + 1 : 0
        return smallReads >= Self.patience ? change(to: Self.few) : nil
    }

    private mutating func change(to size: Int) -> Int {
        smallReads = 0
        current = size
        return size
    }
}

/// The room for the datagrams of one read, which they share equally. SwiftNIO's own allocator of a fixed size would go
/// on using a buffer that it has, even if that is too small for a larger read.
struct ReadRoom: RecvByteBufferAllocator {
    private let capacity: Int

    init(datagrams: Int) {
        capacity = datagrams * Int(BRIDGE_QUIC_DATAGRAM_ROOM)
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: capacity) }

    func nextBufferSize() -> Int? { capacity }

    mutating func record(actualReadBytes: Int) -> Bool { false }
}

import NIOCore

/// Bytes that were received and not yet taken. The first of them can be brought together in one piece.
///
/// Bytes that lie in one received buffer are handed out as a slice of it. Only the beginning of a packet whose end has
/// not arrived is copied, once, into storage of its own. A received buffer, whose storage may be far larger than the
/// few bytes left in it, is released as soon as all of it has been examined.
struct InputQueue: Sendable {
    /// The beginning of an unfinished packet. Never shared, so that writing to it never copies what it holds.
    private var partial = ByteBuffer()
    /// The rest of a received buffer. It follows `partial`.
    private var received = ByteBuffer()
    /// What was received before `received` was used up. It follows `received`.
    private var backlog = ByteBuffer()

    /// In bytes. Most packets fit into it, so one-byte reads do not cause a series of tiny allocations.
    private static let smallestCapacity = 256

    var count: Int { partial.readableBytes + received.readableBytes + backlog.readableBytes }

    /// How many bytes of memory are kept alive for `count` bytes.
    var retainedCapacity: Int { partial.storageCapacity + received.storageCapacity + backlog.storageCapacity }

    mutating func append(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        if received.readableBytes == 0 {
            received = buffer
        } else if backlog.readableBytes == 0 {
            backlog = buffer
        } else {
            backlog.writeImmutableBuffer(buffer)
        }
    }

    /// The first bytes: at least as many as the last successful `gather` asked for.
    var front: ByteBuffer { partial.readableBytes > 0 ? partial : received }

    /// Brings the first `length` bytes together in `front`.
    /// - Returns: Whether that many have been received.
    mutating func gather(_ length: Int) -> Bool {
        if partial.readableBytes == 0, received.readableBytes >= length { return true }
        while partial.readableBytes < length {
            let missing = length - partial.readableBytes
            guard var piece = received.readSlice(length: min(missing, received.readableBytes)) else { return false }
            guard piece.readableBytes > 0 else { return false }
            // The storage doubles as bytes arrive. A length field's promise allocates nothing.
            partial.reserveCapacity(max(partial.readableBytes + piece.readableBytes, Self.smallestCapacity))
            partial.writeBuffer(&piece)
            releaseUsed()
        }
        return true
    }

    /// Takes the first `length` bytes, for which `gather` has just returned `true`.
    mutating func take(_ length: Int) -> ByteBuffer {
        guard partial.readableBytes > 0 else { return takeReceived(atMost: length) }
        assert(partial.readableBytes == length)
        defer { partial = ByteBuffer() }
        return partial
    }

    /// Takes what lies in one received buffer, but at most `limit` bytes. Empty if there are none.
    mutating func takeReceived(atMost limit: Int) -> ByteBuffer {
        assert(partial.readableBytes == 0)
        let slice = received.readSlice(length: min(limit, received.readableBytes)) ?? ByteBuffer()
        releaseUsed()
        return slice
    }

    private mutating func releaseUsed() {
        guard received.readableBytes == 0 else { return }
        received = backlog
        backlog = ByteBuffer()
    }
}

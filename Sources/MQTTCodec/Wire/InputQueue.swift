import NIOCore

/// Bytes that have come in and have not been taken, and the first of which can be looked at in one piece.
///
/// What lies in one received buffer is handed out as a slice of it. Only a packet's beginning that is still waiting for
/// its end is copied, once, into storage of its own: a received buffer, whose storage may be far larger than the few
/// bytes left in it, is let go as soon as all of it has been looked at.
struct InputQueue: Sendable {
    /// The beginning of an unfinished packet. Never shared, so that writing to it never copies what it holds.
    private var partial = ByteBuffer()
    /// The rest of the buffer that came in, behind `partial`.
    private var received = ByteBuffer()
    /// What came in before `received` was used up, behind it.
    private var backlog = ByteBuffer()

    /// Holds most packets whole, so that one-byte reads do not begin with a row of tiny allocations.
    private static let smallestCapacity = 256

    var count: Int { partial.readableBytes + received.readableBytes + backlog.readableBytes }

    /// Bytes of memory that are kept alive for `count` bytes.
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

    /// The first bytes, at least as many as the last successful `gather` asked for.
    var front: ByteBuffer { partial.readableBytes > 0 ? partial : received }

    /// Brings the first `length` bytes together in `front`.
    /// - Returns: `false`: they are not there yet.
    mutating func gather(_ length: Int) -> Bool {
        if partial.readableBytes == 0, received.readableBytes >= length { return true }
        while partial.readableBytes < length {
            let missing = length - partial.readableBytes
            guard var piece = received.readSlice(length: min(missing, received.readableBytes)) else { return false }
            guard piece.readableBytes > 0 else { return false }
            // Grows by doubling, as bytes come in and not as a length field promises them.
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

    /// Takes what lies in one received buffer, but not more than `limit`. Empty: there is nothing.
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

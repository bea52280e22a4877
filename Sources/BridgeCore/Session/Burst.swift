import NIOCore

/// Packets on their way to one side, which follow one another. Small ones are joined, because each write costs more
/// than the copy of so few bytes.
package struct Burst: Sendable {
    /// Bytes. A longer buffer, and what comes after it, is passed on as it is.
    package static let longest = 4_096

    private var waiting: ByteBuffer?
    /// Whether ``waiting`` has storage of its own, to which more may be written.
    private var isJoined = false

    package init() {}

    package var isEmpty: Bool { waiting == nil }

    /// Adds a packet. Returns what has to be written now, because it can't be joined with the packet.
    package mutating func add(_ bytes: ByteBuffer) -> ByteBuffer? {
        guard let count = waiting?.readableBytes, count + bytes.readableBytes <= Self.longest else {
            let previous = waiting
            waiting = bytes
            isJoined = false
            return previous
        }
        if !isJoined { join(capacity: 4 * (count + bytes.readableBytes)) }
        waiting?.writeImmutableBuffer(bytes)
        return nil
    }

    private mutating func join(capacity: Int) {
        guard let first = waiting else { return }
        var joined = ByteBufferAllocator().buffer(capacity: min(capacity, Self.longest))
        joined.writeImmutableBuffer(first)
        waiting = joined
        isJoined = true
    }

    /// Takes what is left to be written.
    package mutating func take() -> ByteBuffer? {
        defer { waiting = nil }
        return waiting
    }
}

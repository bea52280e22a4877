import NIOCore

/// Joins the pieces of a long packet on their way to the broker until they are worth a write. The broker can do nothing
/// with a part of a packet, and each write wakes it.
package struct LongPacketPieces: Sendable {
    /// How many bytes are worth a write.
    private let enough: Int
    private var waiting = ByteBuffer()

    /// - Parameter window: How many bytes the client may send before the broker has taken any. Only a part of that may
    ///   wait, or the client could not go on.
    package init(window: Int) {
        enough = min(32_768, window / 4)
    }

    /// - Parameter isInnerPart: Whether all of the bytes are from the middle of one packet.
    /// - Returns: What is to be written now, if anything.
    package mutating func add(_ bytes: ByteBuffer, isInnerPart: Bool) -> ByteBuffer? {
        if waiting.readableBytes == 0 {
            guard isInnerPart, bytes.readableBytes < enough else { return bytes }
            waiting = bytes
            return nil
        }
        waiting.writeImmutableBuffer(bytes)
        return isInnerPart && waiting.readableBytes < enough ? nil : take()
    }

    /// What waits, if anything.
    package mutating func take() -> ByteBuffer? {
        guard waiting.readableBytes > 0 else { return nil }
        defer { waiting = ByteBuffer() }
        return waiting
    }
}

import NIOCore

/// Joins the pieces of a long packet on their way to the broker until they are worth a write. The broker can do nothing
/// with a part of a packet, and each write wakes it.
///
/// Pieces that come slowly are not joined: for a broker, a device is alive as long as something comes from it.
package struct LongPacketPieces: Sendable {
    /// Pieces are joined if the previous write is not longer ago than this.
    static let patience = TimeAmount.milliseconds(100)

    /// How many bytes are worth a write.
    private let enough: Int
    private var waiting = ByteBuffer()
    private var joinsUntil = NIODeadline.distantPast

    /// - Parameter window: How many bytes the client may send before the broker has taken any. Only a part of that may
    ///   wait, or the client could not go on.
    package init(window: Int) {
        enough = min(32_768, window / 8)
    }

    /// - Parameter isInnerPart: Whether all of the bytes are from the middle of one packet.
    /// - Returns: What is to be written now, if anything.
    package mutating func add(
        _ bytes: ByteBuffer, isInnerPart: Bool, at now: @autoclosure () -> NIODeadline
    ) -> ByteBuffer? {
        guard isInnerPart || waiting.readableBytes > 0 else { return bytes }
        if waiting.readableBytes > 0 { waiting.writeImmutableBuffer(bytes) } else { waiting = bytes }
        guard isInnerPart else { return take() }
        let now = now()
        if waiting.readableBytes < enough, now < joinsUntil { return nil }
        joinsUntil = now + Self.patience
        return take()
    }

    /// What waits, if anything.
    package mutating func take() -> ByteBuffer? {
        guard waiting.readableBytes > 0 else { return nil }
        defer { waiting = ByteBuffer() }
        return waiting
    }
}

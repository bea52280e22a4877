import CNGTCP2
import NIOCore

/// The sending side of one stream.
///
/// The owner bounds it by checking `bufferedBytes` before it writes more.
final class SendStream {
    let id: QUICStreamID
    private var buffer = SendBuffer()
    /// How many bytes are queued or sent and not acknowledged: what `buffer` says, which takes longer to ask.
    private(set) var bufferedBytes = 0
    private var unsentBytes = 0
    /// Whether the end of the stream has been queued behind the bytes.
    private(set) var isFinished = false
    private var isFinSent = false
    /// Whether nothing more is sent, because the peer asked for that, or because the stream was reset or closed.
    private(set) var isShut = false
    /// Whether the stream is in the connection's queue of streams with something to send.
    var isQueued = false
    /// Whether the stream is among those that wait for the connection's credit.
    var isStarved = false

    /// Counted from the beginning of the stream.
    private var acknowledgedBytes: UInt64 = 0
    /// What `acknowledgedBytes` was at the last check; `nil` if no bytes were under way then.
    private var progressMark: UInt64?

    init(id: QUICStreamID) {
        self.id = id
    }

    /// How many of the buffered bytes count against the owner's limit: those that wait to be sent, or as many as are left
    /// if `inFlight` bytes are taken off.
    func backlog(inFlight: Int) -> Int { max(unsentBytes, bufferedBytes - inFlight) }

    var hasSomethingToSend: Bool {
        !isShut && (unsentBytes > 0 || (isFinished && !isFinSent))
    }

    /// Whether bytes wait to be sent, and not only the end of the stream.
    var hasUnsentBytes: Bool { !isShut && unsentBytes > 0 }

    /// Sends nothing more. Bytes that ngtcp2 has not seen are freed at once, the others when they are acknowledged or
    /// the stream is closed.
    func shut() {
        guard !isShut else { return }
        isShut = true
        buffer.dropUnsent()
        bufferedBytes -= unsentBytes
        unsentBytes = 0
    }

    func append(_ bytes: ByteBuffer) {
        buffer.append(bytes)
        bufferedBytes += bytes.readableBytes
        unsentBytes += bytes.readableBytes
    }

    func finish() {
        isFinished = true
    }

    /// Fills `slices` with what has to be sent next, about `limit` bytes.
    /// - Returns: The number of slices, the sum of their bytes, and whether the stream ends with them.
    func next(
        into slices: UnsafeMutableBufferPointer<bridge_quic_slice>, limit: Int
    ) -> (count: Int, bytes: Int, fin: Bool) {
        let (count, bytes) = buffer.next(into: slices, limit: limit)
        return (count, bytes, isFinished && bytes == unsentBytes)
    }

    /// That many bytes went into a packet, and with them the end of the stream if `fin` is set.
    func sent(_ bytes: Int, fin: Bool) {
        isFinSent = isFinSent || fin
        buffer.sent(bytes)
        unsentBytes -= bytes
    }

    func acknowledged(_ bytes: Int) {
        acknowledgedBytes += UInt64(bytes)
        buffer.acknowledged(bytes)
        bufferedBytes -= bytes
    }

    /// Whether bytes were under way at the previous check and none has been acknowledged since.
    func hasMadeNoProgress() -> Bool {
        let mark = bufferedBytes > unsentBytes ? acknowledgedBytes : nil
        defer { progressMark = mark }
        return mark != nil && mark == progressMark
    }
}

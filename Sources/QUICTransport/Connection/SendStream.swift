import CNGTCP2
import DequeModule
import NIOCore

/// The sending side of one stream: bytes that wait to be sent, and bytes that wait to be acknowledged. ngtcp2 keeps
/// pointers to the latter, so their storage is held, at its address, until the acknowledgement.
///
/// Bounded by its owner, who looks at `bufferedBytes` before writing more.
final class SendStream {
    private struct Chunk {
        let storage: AnyObject
        let base: UnsafePointer<UInt8>
        let count: Int
    }

    let id: QUICStreamID
    /// Queued or sent, not acknowledged.
    private(set) var bufferedBytes = 0
    private var unsentBytes = 0
    /// The end of the stream has been queued behind the bytes.
    private(set) var isFinished = false
    private var isFinSent = false
    /// No more is sent: the peer asked for it, or the stream was reset or closed.
    private(set) var isShut = false
    /// Whether it stands in the connection's queue of streams with something to send.
    var isQueued = false
    /// Whether it stands among the connection's streams that wait for the connection's credit.
    var isStarved = false

    /// Of all that was ever sent.
    private var acknowledgedBytes: UInt64 = 0
    /// `acknowledgedBytes` when it was looked at last and bytes were under way.
    private var progressMark: UInt64?

    private var chunks: Deque<Chunk> = []
    /// Bytes of the first chunk that are acknowledged.
    private var acknowledgedInFirst = 0
    private var nextChunk = 0
    private var nextOffset = 0

    init(id: QUICStreamID) {
        self.id = id
    }

    var hasSomethingToSend: Bool {
        !isShut && (unsentBytes > 0 || (isFinished && !isFinSent))
    }

    /// Whether bytes wait to be sent, and not only the end.
    var hasUnsentBytes: Bool { !isShut && unsentBytes > 0 }

    /// No more is sent. What ngtcp2 has not seen goes at once; the rest when it is acknowledged or the stream is closed.
    func shut() {
        guard !isShut else { return }
        isShut = true
        // ngtcp2 may point into a chunk of which only a part is sent.
        if nextOffset > 0 { nextChunk += 1 }
        chunks.removeLast(chunks.count - nextChunk)
        bufferedBytes -= unsentBytes
        (unsentBytes, nextOffset) = (0, 0)
    }

    /// The storage is kept without copying: as long as this holds a reference, a buffer's owner that writes to it gets a
    /// copy (the bytes here never change).
    func append(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytesWithStorageManagement { bytes, owner in
            guard let base = bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count > 0 else { return }
            chunks.append(Chunk(storage: owner.takeUnretainedValue(), base: base, count: bytes.count))
            bufferedBytes += bytes.count
            unsentBytes += bytes.count
        }
    }

    func finish() {
        isFinished = true
    }

    /// Fills `slices` with what is next to be sent, about `limit` bytes. `bytes` is their sum; `fin` tells whether the
    /// stream ends with them.
    func next(
        into slices: UnsafeMutableBufferPointer<bridge_quic_slice>,
        limit: Int
    ) -> (count: Int, bytes: Int, fin: Bool) {
        var count = 0
        var bytes = 0
        var index = nextChunk
        var offset = nextOffset
        while index < chunks.count, count < slices.count, bytes < limit {
            let chunk = chunks[index]
            slices[count] = bridge_quic_slice(base: chunk.base + offset, length: chunk.count - offset)
            bytes += chunk.count - offset
            count += 1
            index += 1
            offset = 0
        }
        return (count, bytes, isFinished && bytes == unsentBytes)
    }

    /// That many bytes went into a packet, and with them the end of the stream where `fin`.
    func sent(_ bytes: Int, fin: Bool) {
        unsentBytes -= bytes
        isFinSent = isFinSent || fin
        var left = bytes
        while left > 0, nextChunk < chunks.count {
            let room = chunks[nextChunk].count - nextOffset
            guard left >= room else {
                nextOffset += left
                return
            }
            left -= room
            nextChunk += 1
            nextOffset = 0
        }
    }

    /// Whether bytes were under way the last time this was asked, and no more are acknowledged now.
    func hasMadeNoProgress() -> Bool {
        let mark = bufferedBytes > unsentBytes ? acknowledgedBytes : nil
        defer { progressMark = mark }
        return mark != nil && mark == progressMark
    }

    /// Lets go of bytes from the front. ngtcp2 tells acknowledgements in order, without gaps.
    func acknowledged(_ bytes: Int) {
        bufferedBytes -= bytes
        acknowledgedBytes += UInt64(bytes)
        acknowledgedInFirst += bytes
        while let first = chunks.first, acknowledgedInFirst >= first.count, nextChunk > 0 {
            acknowledgedInFirst -= first.count
            nextChunk -= 1
            chunks.removeFirst()
        }
        // An idle stream keeps no room for chunks: it is one of thousands.
        if chunks.isEmpty { chunks = [] }
    }
}

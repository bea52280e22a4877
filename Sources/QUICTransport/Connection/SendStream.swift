import CNGTCP2
import DequeModule
import NIOCore

/// The sending side of one stream: bytes that wait to be sent, and bytes that wait to be acknowledged. ngtcp2 keeps
/// pointers to the latter, so their storage is kept at its address until they are acknowledged.
///
/// The owner bounds it by checking `bufferedBytes` before it writes more.
final class SendStream {
    private struct Chunk {
        let storage: AnyObject
        let base: UnsafePointer<UInt8>
        let count: Int
    }

    let id: QUICStreamID
    /// How many bytes are queued or sent and not acknowledged.
    private(set) var bufferedBytes = 0
    private var unsentBytes = 0
    /// The end of the stream has been queued behind the bytes.
    private(set) var isFinished = false
    private var isFinSent = false
    /// Nothing more is sent, because the peer asked for that, or because the stream was reset or closed.
    private(set) var isShut = false
    /// Whether the stream is in the connection's queue of streams with something to send.
    var isQueued = false
    /// Whether the stream is among those that wait for the connection's credit.
    var isStarved = false

    /// Counted from the beginning of the stream.
    private var acknowledgedBytes: UInt64 = 0
    /// What `acknowledgedBytes` was at the last check; `nil` if no bytes were under way then.
    private var progressMark: UInt64?

    private var chunks: Deque<Chunk> = []
    /// How many bytes of the first chunk are acknowledged.
    private var acknowledgedInFirst = 0
    /// The chunk, and the offset in it, of the next byte to be sent.
    private var nextChunk = 0
    private var nextOffset = 0

    init(id: QUICStreamID) {
        self.id = id
    }

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
        // ngtcp2 may point into a chunk of which only a part was sent.
        if nextOffset > 0 { nextChunk += 1 }
        chunks.removeLast(chunks.count - nextChunk)
        bufferedBytes -= unsentBytes
        (unsentBytes, nextOffset) = (0, 0)
    }

    /// Keeps the storage without copying it. While this holds a reference, an owner that writes to the buffer gets a
    /// copy, so the bytes here never change.
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

    /// Fills `slices` with what is to be sent next, about `limit` bytes.
    /// - Returns: The number of slices, the sum of their bytes, and whether the stream ends with them.
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

    /// That many bytes went into a packet, and with them the end of the stream if `fin` is set.
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

    /// Whether bytes were under way at the previous check and none has been acknowledged since.
    func hasMadeNoProgress() -> Bool {
        let mark = bufferedBytes > unsentBytes ? acknowledgedBytes : nil
        defer { progressMark = mark }
        return mark != nil && mark == progressMark
    }

    /// Frees bytes from the front. ngtcp2 reports acknowledgements in order, without gaps.
    func acknowledged(_ bytes: Int) {
        bufferedBytes -= bytes
        acknowledgedBytes += UInt64(bytes)
        acknowledgedInFirst += bytes
        while let first = chunks.first, acknowledgedInFirst >= first.count, nextChunk > 0 {
            acknowledgedInFirst -= first.count
            nextChunk -= 1
            chunks.removeFirst()
        }
        // An idle stream is one of thousands, so it keeps no room for chunks.
        if chunks.isEmpty { chunks = [] }
    }
}

import CNGTCP2
import DequeModule
import NIOCore

/// The bytes of one stream that wait to be sent or acknowledged. ngtcp2 keeps pointers to those that were sent, so their
/// storage is kept at its address until they are acknowledged.
struct SendBuffer {
    private struct Chunk {
        let storage: AnyObject
        let base: UnsafePointer<UInt8>
        let count: Int
    }

    /// How many bytes are queued or sent and not acknowledged.
    private(set) var count = 0
    private(set) var unsentCount = 0

    private var chunks: Deque<Chunk> = []
    /// How many bytes of the first chunk are acknowledged.
    private var acknowledgedInFirst = 0
    /// The chunk, and the offset in it, of the next byte to be sent.
    private var nextChunk = 0
    private var nextOffset = 0

    /// Keeps the storage without copying it. While this holds a reference, an owner that writes to the buffer gets a
    /// copy, so the bytes here never change.
    mutating func append(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytesWithStorageManagement { bytes, owner in
            guard let base = bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count > 0 else { return }
            chunks.append(Chunk(storage: owner.takeUnretainedValue(), base: base, count: bytes.count))
            count += bytes.count
            unsentCount += bytes.count
        }
    }

    /// Frees the bytes that ngtcp2 has not seen.
    mutating func dropUnsent() {
        // ngtcp2 may point into a chunk of which only a part was sent.
        if nextOffset > 0 { nextChunk += 1 }
        chunks.removeLast(chunks.count - nextChunk)
        count -= unsentCount
        (unsentCount, nextOffset) = (0, 0)
    }

    /// Fills `slices` with what has to be sent next, about `limit` bytes.
    /// - Returns: The number of slices, and the sum of their bytes.
    func next(
        into slices: UnsafeMutableBufferPointer<bridge_quic_slice>, limit: Int
    ) -> (slices: Int, bytes: Int) {
        var filled = 0
        var bytes = 0
        var index = nextChunk
        var offset = nextOffset
        while index < chunks.count, filled < slices.count, bytes < limit {
            let chunk = chunks[index]
            slices[filled] = bridge_quic_slice(base: chunk.base + offset, length: chunk.count - offset)
            bytes += chunk.count - offset
            filled += 1
            index += 1
            offset = 0
        }
        return (filled, bytes)
    }

    mutating func sent(_ bytes: Int) {
        unsentCount -= bytes
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

    /// Frees bytes from the front. ngtcp2 reports acknowledgements in order, without gaps.
    mutating func acknowledged(_ bytes: Int) {
        count -= bytes
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

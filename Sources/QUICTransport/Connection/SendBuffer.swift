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

    /// The first chunk, and the others. Most streams have one at a time.
    private var first: Chunk?
    private var others: Deque<Chunk> = []
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
            let chunk = Chunk(storage: owner.takeUnretainedValue(), base: base, count: bytes.count)
            if first == nil { first = chunk } else { others.append(chunk) }
        }
    }

    /// Frees the bytes that ngtcp2 has not seen.
    mutating func dropUnsent() {
        // ngtcp2 may point into a chunk of which only a part was sent.
        if nextOffset > 0 { nextChunk += 1 }
        nextOffset = 0
        others.removeLast(min(chunkCount - nextChunk, others.count))
        if nextChunk == 0 { first = nil }
    }

    private var chunkCount: Int { first == nil ? 0 : 1 + others.count }

    private func chunk(at index: Int) -> Chunk? {
        guard index > 0 else { return first }
        return index <= others.count ? others[index - 1] : nil
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
        while filled < slices.count, bytes < limit, let chunk = chunk(at: index) {
            slices[filled] = bridge_quic_slice(base: chunk.base + offset, length: chunk.count - offset)
            bytes += chunk.count - offset
            filled += 1
            index += 1
            offset = 0
        }
        return (filled, bytes)
    }

    mutating func sent(_ bytes: Int) {
        var left = bytes
        while left > 0, let chunk = chunk(at: nextChunk) {
            let room = chunk.count - nextOffset
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
        acknowledgedInFirst += bytes
        while let acknowledged = first, acknowledgedInFirst >= acknowledged.count, nextChunk > 0 {
            acknowledgedInFirst -= acknowledged.count
            nextChunk -= 1
            first = others.popFirst()
            // An idle stream is one of thousands, so it keeps no room for chunks.
            if others.isEmpty { others = [] }
        }
    }
}

import DequeModule
import NIOCore

/// What a stream has to send, or has sent and not yet had acknowledged.
///
/// ngtcp2 keeps pointers to the bytes until they are acknowledged, so the storage of every buffer is held, not copied.
struct SendQueue {
    private struct Chunk {
        let storage: AnyObject
        let base: UnsafePointer<UInt8>
        let count: Int
    }

    enum End {
        case none
        case queued
        case sent
    }

    private var chunks: Deque<Chunk> = []
    /// Bytes of the first chunk that are acknowledged.
    private var acknowledgedInFirst = 0
    /// Where sending goes on: a chunk, and an offset into it.
    private var nextChunk = 0
    private var nextOffset = 0
    /// Bytes that are not acknowledged, sent or not.
    private(set) var buffered = 0
    private(set) var unsent = 0
    var end = End.none

    var hasSomethingToSend: Bool {
        unsent > 0 || end == .queued
    }

    mutating func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        bytes.withUnsafeReadableBytesWithStorageManagement { pointer, storage in
            guard let base = pointer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            chunks.append(Chunk(storage: storage.takeUnretainedValue(), base: base, count: pointer.count))
        }
        buffered += bytes.readableBytes
        unsent += bytes.readableBytes
    }

    /// The bytes to send next, in at most as many slices as fit; answers their number and the bytes in them.
    func fill(_ slices: UnsafeMutableBufferPointer<Slice>, atMost limit: Int) -> (slices: Int, bytes: Int) {
        var (count, bytes) = (0, 0)
        var (index, offset) = (nextChunk, nextOffset)
        while index < chunks.count, count < slices.count, bytes < limit {
            let chunk = chunks[index]
            slices[count] = Slice(base: chunk.base + offset, length: chunk.count - offset)
            count += 1
            bytes += chunk.count - offset
            (index, offset) = (index + 1, 0)
        }
        return (count, bytes)
    }

    mutating func sent(_ count: Int) {
        unsent -= count
        var rest = count
        while rest > 0, nextChunk < chunks.count {
            let left = chunks[nextChunk].count - nextOffset
            guard rest >= left else {
                nextOffset += rest
                return
            }
            rest -= left
            nextChunk += 1
            nextOffset = 0
        }
    }

    mutating func acknowledged(_ count: Int) {
        buffered -= count
        acknowledgedInFirst += count
        while let first = chunks.first, acknowledgedInFirst >= first.count {
            acknowledgedInFirst -= first.count
            chunks.removeFirst()
            nextChunk -= 1
        }
        // An idle stream keeps no memory.
        if chunks.isEmpty { chunks = [] }
    }
}

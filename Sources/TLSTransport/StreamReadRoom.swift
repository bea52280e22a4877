import NIOCore

/// How much room a TCP connection gets for what it receives: more while reads fill it, and no more than
/// ``kept`` bytes for good.
///
/// SwiftNIO keeps the buffers of a connection for its next reads, however large they have become, and gives none of them
/// back. That would be 64 KiB for each device that has ever received a long message. So it is told here that large ones
/// are not to be kept, which works if the connection keeps one buffer only: if it reads once per wake-up
/// (``messagesPerRead``).
package struct StreamReadRoom: RecvByteBufferAllocator {
    /// The largest buffer that a connection keeps, in bytes.
    package static let kept = 2048
    /// What `maxMessagesPerRead` has to be.
    package static let messagesPerRead: UInt = 1

    private var adaptive: AdaptiveRecvByteBufferAllocator

    /// - Parameters:
    ///   - initial: In bytes, at most ``kept``. Also the least.
    ///   - largest: The most that is received at once, in bytes.
    package init(initial: Int, largest: Int = 65_536) {
        adaptive = AdaptiveRecvByteBufferAllocator(minimum: initial, initial: initial, maximum: largest)
    }

    package func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        adaptive.buffer(allocator: allocator)
    }

    /// - Returns: whether the next buffer has to be a new one.
    package mutating func record(actualReadBytes: Int) -> Bool {
        _ = adaptive.record(actualReadBytes: actualReadBytes)
        return nextBufferSize() == nil
    }

    /// `nil` if the next buffer is not one of those that are kept.
    package func nextBufferSize() -> Int? {
        guard let size = adaptive.nextBufferSize(), size <= Self.kept else { return nil }
        return size
    }
}

import NIOCore
import TLSTransport
import Testing

/// What a connection keeps between its reads, in the pool that SwiftNIO's channels have.
@Suite struct StreamReadRoomTests {
    private var pool = NIOPooledRecvBufferAllocator(
        capacity: Int(StreamReadRoom.messagesPerRead), recvAllocator: StreamReadRoom(initial: 64))
    private var inUse: [ByteBuffer] = []

    /// Reads what fits of `count` bytes.
    /// - Returns: how much room there was.
    private mutating func read(_ count: Int, isKeptByReader: Bool) -> Int {
        let (buffer, room) = pool.buffer(allocator: ByteBufferAllocator()) { buffer in
            let room = buffer.writableBytes
            buffer.writeRepeatingByte(1, count: min(count, room))
            return room
        }
        #expect(buffer.readableBytes == min(count, room))
        pool.record(actualReadBytes: buffer.readableBytes)
        if isKeptByReader { inUse.append(buffer) }
        return room
    }

    @Test(arguments: [true, false])
    mutating func aLongMessageLeavesNoLargeBufferBehind(isKeptByReader: Bool) {
        #expect(read(20, isKeptByReader: false) == 64)
        let rooms = (0..<30).map { _ in read(.max, isKeptByReader: isKeptByReader) }
        #expect(rooms.last == 65_536, "reads become as large as before")
        #expect(pool.count == 1)
        inUse = []
        // Short messages, for which a smaller buffer is enough sooner or later.
        let later = (0..<30).map { _ in read(20, isKeptByReader: false) }
        #expect((64...StreamReadRoom.kept).contains(later.last ?? 0))
        #expect(pool.count == 1)
    }

    @Test mutating func aReadTakesNoMoreThanTheLargest() {
        pool = NIOPooledRecvBufferAllocator(
            capacity: Int(StreamReadRoom.messagesPerRead), recvAllocator: StreamReadRoom(initial: 64, largest: 16_384))
        let rooms = (0..<30).map { _ in read(.max, isKeptByReader: false) }
        #expect(rooms.max() == 16_384)
    }

    @Test mutating func shortMessagesShareABuffer() {
        var places: Set<UInt> = []
        for _ in 0..<10 {
            _ = pool.buffer(allocator: ByteBufferAllocator()) { buffer in
                buffer.withUnsafeMutableWritableBytes { _ = places.insert(UInt(bitPattern: $0.baseAddress)) }
            }
            pool.record(actualReadBytes: 20)
        }
        #expect(places.count == 1)
    }
}

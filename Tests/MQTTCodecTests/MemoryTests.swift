import Foundation
import NIOCore
import Testing

@testable import MQTTCodec

@Suite("Copies and memory")
struct MemoryTests {
    private static func decoder() -> FrameDecoder {
        var decoder = FrameDecoder(maximumPacketSize: 1 << 20, maximumBufferedSize: 1 << 20)
        decoder.version = .v3_1_1
        return decoder
    }

    private static func frame(_ decoder: inout FrameDecoder) throws -> Frame? {
        guard case .packet(let frame) = try decoder.next() else { return nil }
        return frame
    }

    private static func address(_ buffer: ByteBuffer) -> UnsafeRawPointer? {
        buffer.withUnsafeReadableBytes { $0.baseAddress }
    }

    @Test("packets in one received buffer are slices of it")
    func slices() throws {
        let received = Bytes("30 [ <'a'> 'one' ] C0 00 30 [ <'b'> 'two' ]").buffer
        var decoder = Self.decoder()
        decoder.append(received)
        var offset = 0
        while let frame = try Self.frame(&decoder) {
            #expect(Self.address(frame.bytes) == Self.address(received)?.advanced(by: offset))
            #expect(Self.address(frame.body) == Self.address(frame.bytes)?.advanced(by: 2))
            offset += frame.bytes.readableBytes
        }
        #expect(offset == received.readableBytes)
    }

    @Test("what is left of a received buffer is copied, and the buffer is released")
    func leftover() throws {
        var received = ByteBufferAllocator().buffer(capacity: 1 << 16)
        received.writeBytes(Bytes("C0 00 82 10 00").array)
        var decoder = Self.decoder()
        decoder.append(received)
        #expect(try Self.frame(&decoder)?.type == .pingreq)
        #expect(decoder.retainedCapacity >= 1 << 16)
        #expect(try decoder.next() == nil)
        #expect(decoder.bufferedBytes == 3)
        #expect(decoder.retainedCapacity <= 256)
    }

    @Test("no memory is kept when no bytes are left")
    func idle() throws {
        var decoder = Self.decoder()
        for index in 0...4 {
            for piece in Bytes("40 02 0001").buffer.split(at: index) {
                decoder.append(piece)
                while try decoder.next() != nil {}
            }
            #expect(decoder.bufferedBytes == 0)
            #expect(decoder.retainedCapacity == 0)
        }
    }

    /// What this thread has used of a processor, in seconds. It does not grow while others use it.
    private static func threadTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test("one-byte reads: storage doubles, and the time is linear")
    func singleBytes() throws {
        var decoder = Self.decoder()
        let length = 200_000
        var bytes = ByteBuffer(bytes: [0x82])
        VariableByteInteger.write(length, to: &bytes)
        bytes.writeRepeatingByte(0, count: length)

        var capacities: Set<Int> = []
        let start = Self.threadTime()
        while let byte = bytes.readSlice(length: 1) {
            decoder.append(byte)
            if let frame = try Self.frame(&decoder) { #expect(frame.bytes.readableBytes == length + 4) }
            capacities.insert(decoder.retainedCapacity)
        }
        #expect(capacities.count <= 12)
        #expect(Self.threadTime() - start < 20)
    }

    @Test("many buffers before the first read are joined, not queued")
    func appendedWithoutLooking() throws {
        var decoder = Self.decoder()
        for _ in 0..<1000 {
            for byte in Bytes("40 02 0001").buffer.singleBytes { decoder.append(byte) }
        }
        #expect(decoder.bufferedBytes == 4000)
        #expect(decoder.retainedCapacity <= 3 * 8192)
        var count = 0
        while try decoder.next() != nil { count += 1 }
        #expect(count == 1000)
        #expect(decoder.bufferedBytes == 0)
    }

    @Test("a frame that is still in use is not changed by later input")
    func framesAreIndependent() throws {
        var decoder = Self.decoder()
        var frames: [Frame] = []
        for number in 1...50 as ClosedRange<UInt8> {
            for piece in Bytes([0x40, 0x02, 0x00, number]).buffer.split(at: Int(number) % 5) {
                decoder.append(piece)
                while let frame = try Self.frame(&decoder) { frames.append(frame) }
            }
        }
        #expect(frames.map { $0.bytes.getInteger(at: $0.bytes.readerIndex + 3, as: UInt8.self) } == (1...50).map { $0 })
    }
}

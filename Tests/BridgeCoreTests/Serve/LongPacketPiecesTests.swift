import NIOCore
import Testing

@testable import BridgeCore

@Suite struct LongPacketPiecesTests {
    private static func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: count) }

    @Test func whatEndsAPacketIsWrittenAtOnce() {
        var pieces = LongPacketPieces(window: 1_000)
        #expect(pieces.add(Self.bytes(10), isInnerPart: false)?.readableBytes == 10)
        #expect(pieces.add(Self.bytes(20), isInnerPart: true) == nil)
        #expect(pieces.add(Self.bytes(30), isInnerPart: false)?.readableBytes == 50)
        #expect(pieces.take() == nil)
    }

    /// A client gets credit only for what was written, so a part of its window is the most that may wait.
    @Test func aQuarterOfTheWindowIsWritten() {
        var pieces = LongPacketPieces(window: 1_000)
        var written: [Int] = []
        for _ in 0..<30 {
            if let some = pieces.add(Self.bytes(100), isInnerPart: true) { written.append(some.readableBytes) }
        }
        #expect(written == Array(repeating: 300, count: 10))
        #expect(pieces.add(Self.bytes(250), isInnerPart: true)?.readableBytes == 250)
        #expect(pieces.take() == nil)
    }

    @Test func anEndTakesTheRest() {
        var pieces = LongPacketPieces(window: 1_000_000)
        #expect(pieces.add(Self.bytes(32_767), isInnerPart: true) == nil)
        #expect(pieces.take()?.readableBytes == 32_767)
        #expect(pieces.add(Self.bytes(32_768), isInnerPart: true)?.readableBytes == 32_768)
    }
}

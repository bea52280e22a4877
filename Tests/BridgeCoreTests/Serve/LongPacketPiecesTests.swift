import NIOCore
import Testing

@testable import BridgeCore

@Suite struct LongPacketPiecesTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private static func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: count) }

    @Test func whatEndsAPacketIsWrittenAtOnce() {
        var pieces = LongPacketPieces(window: 2_000)
        #expect(pieces.add(Self.bytes(10), isInnerPart: false, at: Self.start)?.readableBytes == 10)
        #expect(pieces.add(Self.bytes(15), isInnerPart: true, at: Self.start)?.readableBytes == 15)
        #expect(pieces.add(Self.bytes(20), isInnerPart: true, at: Self.start) == nil)
        #expect(pieces.add(Self.bytes(30), isInnerPart: false, at: Self.start)?.readableBytes == 50)
        #expect(pieces.take() == nil)
    }

    /// A client gets credit only for what was written, so a part of its window is the most that may wait.
    @Test func anEighthOfTheWindowIsWritten() {
        var pieces = LongPacketPieces(window: 2_000)
        var written: [Int] = []
        for _ in 0..<31 {
            if let some = pieces.add(Self.bytes(100), isInnerPart: true, at: Self.start) {
                written.append(some.readableBytes)
            }
        }
        #expect(written == [100] + Array(repeating: 300, count: 10))
        #expect(pieces.add(Self.bytes(250), isInnerPart: true, at: Self.start)?.readableBytes == 250)
        #expect(pieces.take() == nil)
    }

    /// The broker would otherwise take the client for dead.
    @Test func piecesThatComeSlowlyAreWrittenAsTheyCome() {
        var pieces = LongPacketPieces(window: 1_000_000)
        for second in 0..<5 {
            let now = Self.start + .seconds(Int64(second))
            #expect(pieces.add(Self.bytes(100), isInnerPart: true, at: now)?.readableBytes == 100)
        }
        let now = Self.start + .seconds(4) + LongPacketPieces.patience
        #expect(pieces.add(Self.bytes(50), isInnerPart: true, at: now - .nanoseconds(1)) == nil)
        #expect(pieces.add(Self.bytes(50), isInnerPart: true, at: now)?.readableBytes == 100)
    }

    @Test func anEndTakesTheRest() {
        var pieces = LongPacketPieces(window: 1_000_000)
        #expect(pieces.add(Self.bytes(32_768), isInnerPart: true, at: Self.start)?.readableBytes == 32_768)
        #expect(pieces.add(Self.bytes(32_767), isInnerPart: true, at: Self.start) == nil)
        #expect(pieces.take()?.readableBytes == 32_767)
    }
}

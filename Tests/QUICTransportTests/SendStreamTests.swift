import CNGTCP2
import NIOCore
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct SendStreamTests {
    private let stream = SendStream(id: QUICStreamID(rawValue: 0))

    /// The next bytes as text, and whether the stream ends with them.
    private func next(slices: Int = 4, limit: Int = 1200) -> (String, fin: Bool) {
        withUnsafeTemporaryAllocation(of: bridge_quic_slice.self, capacity: slices) { space in
            let next = stream.next(into: space, limit: limit)
            let text = space.prefix(next.count).map { slice in
                String(decoding: UnsafeBufferPointer(start: slice.base, count: slice.length), as: UTF8.self)
            }.joined()
            #expect(text.utf8.count == next.bytes)
            return (text, next.fin)
        }
    }

    @Test func givesChunksInOrderAndForgetsThemWhenAcknowledged() {
        #expect(!stream.hasSomethingToSend)
        for text in ["abc", "", "defg", "hi"] {
            stream.append(ByteBuffer(string: text))
        }
        #expect(stream.bufferedBytes == 9)
        #expect(next() == ("abcdefghi", false))
        stream.sent(4, fin: false)
        #expect(next() == ("efghi", false))
        stream.acknowledged(2)
        #expect(stream.bufferedBytes == 7)
        stream.sent(5, fin: false)
        #expect(!stream.hasSomethingToSend)
        stream.acknowledged(7)
        #expect(stream.bufferedBytes == 0)
        stream.append(ByteBuffer(string: "next"))
        #expect(next() == ("next", false))
    }

    /// What is on its way counts only beyond what may be.
    @Test func whatIsInFlightHardlyCountsAsBacklog() {
        stream.append(ByteBuffer(string: "abcdefghi"))
        #expect(stream.backlog(inFlight: 3) == 9)
        stream.sent(2, fin: false)
        #expect(stream.backlog(inFlight: 3) == 7)
        stream.sent(7, fin: false)
        #expect(stream.backlog(inFlight: 3) == 6 && stream.backlog(inFlight: 9) == 0)
        stream.acknowledged(8)
        #expect(stream.backlog(inFlight: 3) == 0)
    }

    @Test func endsOnlyWithTheLastByte() {
        stream.append(ByteBuffer(string: "abc"))
        stream.append(ByteBuffer(string: "def"))
        stream.finish()
        #expect(next(limit: 2) == ("abc", false))
        #expect(next(slices: 1) == ("abc", false))
        #expect(next() == ("abcdef", true))
        stream.sent(5, fin: false)
        #expect(next() == ("f", true))
        stream.sent(1, fin: true)
        #expect(!stream.hasSomethingToSend)
    }

    @Test func anEndAloneIsSomethingToSend() {
        stream.finish()
        #expect(stream.hasSomethingToSend)
        #expect(next() == ("", true))
        stream.sent(0, fin: true)
        #expect(!stream.hasSomethingToSend)
    }

    @Test func aShutStreamHasNothingToSend() {
        stream.append(ByteBuffer(string: "abc"))
        stream.shut()
        #expect(!stream.hasSomethingToSend)
    }

    @Test func holdsOnToTheStorage() {
        weak var storage: AnyObject?
        do {
            let buffer = ByteBuffer(string: "held")
            buffer.withUnsafeReadableBytesWithStorageManagement { storage = $1.takeUnretainedValue() }
            stream.append(buffer)
        }
        #expect(storage != nil)
        stream.sent(4, fin: false)
        stream.acknowledged(3)
        #expect(storage != nil)
        stream.acknowledged(1)
        #expect(storage == nil)
    }

    @Test func anyOrderOfStepsGivesTheSameBytes() {
        for seed in 0..<50 {
            var random = SplitMix64(seed: UInt64(seed))
            let stream = SendStream(id: QUICStreamID(rawValue: 4))
            let bytes = Array(pattern(5_000, seed: UInt64(seed)).readableBytesView)
            var (written, sent, acknowledged) = (0, 0, 0)
            var received: [UInt8] = []
            while acknowledged < bytes.count {
                let step = Int.random(in: 1...400, using: &random)
                switch random.next() % 3 {
                case 0:
                    let count = min(step, bytes.count - written)
                    stream.append(ByteBuffer(bytes: bytes[written..<(written + count)]))
                    written += count
                case 1:
                    withUnsafeTemporaryAllocation(of: bridge_quic_slice.self, capacity: 5) { slices in
                        let next = stream.next(into: slices, limit: step)
                        let taken = slices.prefix(next.count).flatMap {
                            Array(UnsafeBufferPointer(start: $0.base, count: $0.length))
                        }.prefix(step)
                        received += taken
                        sent += taken.count
                        stream.sent(taken.count, fin: false)
                    }
                default:
                    let count = min(step, sent - acknowledged)
                    acknowledged += count
                    stream.acknowledged(count)
                }
                #expect(stream.bufferedBytes == written - acknowledged)
                #expect(stream.hasSomethingToSend == (written > sent))
            }
            #expect(received == bytes)
        }
    }
}

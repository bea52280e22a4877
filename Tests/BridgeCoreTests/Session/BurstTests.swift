import BridgeCore
import NIOCore
import Testing

struct BurstTests {
    private func packet(_ length: Int, _ value: Int) -> ByteBuffer {
        ByteBuffer(repeating: UInt8(truncatingIfNeeded: value), count: length)
    }

    /// Whatever the lengths are, the bytes come out in their order, and only what is longer by itself makes a long
    /// write.
    @Test func bytesKeepTheirOrder() {
        let lengths = [0, 1, 2, 4, 200, 1_000, Burst.longest - 1, Burst.longest, Burst.longest + 1, 10_000]
        for _ in 0..<300 {
            var burst = Burst()
            var sent = ByteBuffer()
            var written: [ByteBuffer] = []
            for value in 0..<Int.random(in: 1...40) {
                let packet = packet(lengths.randomElement() ?? 1, value)
                sent.writeImmutableBuffer(packet)
                if let earlier = burst.add(packet) { written.append(earlier) }
                #expect(!burst.isEmpty)
            }
            if let rest = burst.take() { written.append(rest) }
            let nothing = burst.take()
            #expect(burst.isEmpty && nothing == nil)
            #expect(written.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) } == sent)
            #expect(written.allSatisfy { $0.readableBytes <= Burst.longest || Set($0.readableBytesView).count == 1 })
        }
    }

    @Test func smallPacketsShareAWrite() {
        var burst = Burst()
        for value in 0..<20 {
            let earlier = burst.add(packet(200, value))
            #expect(earlier == nil)
        }
        let taken = burst.take()
        #expect(taken?.readableBytes == 4_000)
    }

    /// What was joined is not changed by the next burst.
    @Test func aTakenBurstStays() {
        var burst = Burst()
        _ = burst.add(packet(4, 1))
        _ = burst.add(packet(4, 2))
        let first = burst.take()
        _ = burst.add(packet(4, 3))
        _ = burst.add(packet(4, 4))
        #expect(first.map { Array($0.readableBytesView) } == [1, 1, 1, 1, 2, 2, 2, 2])
        let second = burst.take()
        #expect(second.map { Array($0.readableBytesView) } == [3, 3, 3, 3, 4, 4, 4, 4])
    }
}

import NIOCore
import Testing

@testable import mqtt_quic_bridge

/// How long messages have waited that a device could not send.
struct BenchWaitTests {
    private static func waits(of indices: Range<Int>) -> [(nanoseconds: Int64, count: Int)] {
        let now = NIODeadline.uptimeNanoseconds(10_000_000_000)
        return BenchDevice.waits(of: indices, at: now) { now - .nanoseconds(10_000_000 - Int64($0)) }
    }

    @Test func aFewAreAllCounted() {
        let waits = Self.waits(of: 3..<6)
        #expect(waits.map(\.nanoseconds) == [9_999_997, 9_999_996, 9_999_995] && waits.map(\.count) == [1, 1, 1])
        #expect(Self.waits(of: 7..<7).isEmpty)
    }

    /// A device at 1000 messages per second that stalls for an hour has millions of them.
    @Test func millionsAreCountedInSteps() {
        let waits = Self.waits(of: 5..<3_600_008)
        #expect(waits.count == 1_000 && waits.reduce(0) { $0 + $1.count } == 3_600_003)
        // The longest wait is exact, and none is shorter than it was.
        #expect(waits.first?.nanoseconds == 9_999_995)
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0.nanoseconds - $1.nanoseconds == Int64($0.count) })
    }
}

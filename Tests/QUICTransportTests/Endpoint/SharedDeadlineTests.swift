import NIOCore
import Testing

@testable import QUICTransport

@Suite struct SharedDeadlineTests {
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000_123)

    private func shared(in delay: TimeAmount) -> TimeAmount {
        SharedDeadline.for(Self.now + delay, at: Self.now) - Self.now
    }

    @Test func nearDeadlinesStayAsTheyAre() {
        for delay in [TimeAmount.seconds(-1), .zero, .microseconds(1), .milliseconds(25), .seconds(5)] {
            #expect(shared(in: delay) == delay)
        }
        #expect(SharedDeadline.for(.distantFuture, at: Self.now) == .distantFuture)
    }

    @Test func distantDeadlinesOfManyConnectionsBecomeFew() {
        var deadlines: Set<NIODeadline> = []
        for index in 0..<1_000 as Range<Int64> {
            let deadline = Self.now + .seconds(25) + .milliseconds(index)
            let shared = SharedDeadline.for(deadline, at: Self.now)
            #expect(shared >= deadline && shared < deadline + .milliseconds(500))
            deadlines.insert(shared)
        }
        #expect(deadlines.count <= 3)
    }

    /// The peer's idle timeout may be little more than the keep-alive.
    @Test(arguments: [1, 5, 5.2, 25, 30]) func aKeepAliveIsNeverLate(seconds: Double) {
        let interval = Duration.seconds(seconds)
        let asked = SharedDeadline.keepAlive(within: interval)
        #expect(asked > interval - .seconds(1) && asked > .zero)
        #expect(Duration(shared(in: TimeAmount(asked))) <= interval)
    }

    @Test func theLatestDeadlineDoesNotOverflow() {
        let latest = NIODeadline.uptimeNanoseconds(UInt64(Int64.max) - 1)
        #expect(SharedDeadline.for(latest, at: Self.now) >= latest)
    }
}

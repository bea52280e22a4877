import NIOCore
import Testing

@testable import QUICTransport

@Suite struct ProbeTimeoutTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// Each probe timeout is twice as long as the one before (RFC 9002 6.2.1), until something comes.
    @Test func eachTimeoutCountsOnce() {
        var activity = PeerActivity(now: start)
        func due(_ milliseconds: Int64) -> Bool {
            activity.isProbeDue(after: { .milliseconds(100) }, at: start + .milliseconds(milliseconds))
        }
        #expect(!due(1_000))
        activity.sent(at: start)
        #expect(!due(99) && due(100) && !due(100) && !due(299) && due(300) && !due(699) && due(700))
        activity.received(at: start + .milliseconds(800))
        #expect(!due(5_000))
        activity.sent(at: start + .milliseconds(1_000))
        #expect(!due(1_099) && due(1_100))
    }
}

import NIOCore
import Testing

@testable import BridgeCore

/// An event loop that gathers for 2 ms, and whose turns take 0.1 ms.
struct TurnGatheringTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private struct Loop {
        var turns = TurnGathering(delay: .milliseconds(2), at: TurnGatheringTests.start)
        var now = TurnGatheringTests.start
        private(set) var count = 0

        /// A turn that carries so many packets and takes a while.
        ///
        /// - Returns: How long the loop waits then.
        mutating func turn(_ packets: Int, taking duration: TimeAmount = .microseconds(100)) -> TimeAmount {
            count += 1
            for _ in 0..<packets { turns.arrived(at: now) }
            now = now + duration
            let wait = turns.turnEnded(at: now)
            now = now + wait
            return wait
        }

        /// Packets that come one by one, at equal intervals, for that time.
        ///
        /// - Returns: How long the loop waited after the last turn.
        mutating func carry(every interval: TimeAmount, for time: TimeAmount) -> TimeAmount {
            let end = now + time
            var next = now + interval
            var wait = TimeAmount.zero
            while now < end {
                now = max(now, next)
                var packets = 0
                while next <= now {
                    packets += 1
                    next = next + interval
                }
                wait = turn(packets)
            }
            return wait
        }
    }

    @Test func fewPacketsAreNeverDelayed() {
        var loop = Loop()
        #expect(loop.carry(every: .microseconds(1_400), for: .seconds(1)) == .zero)
        #expect(!loop.turns.isWaiting)
    }

    @Test func manyPacketsShareTurns() {
        var loop = Loop()
        let wait = loop.carry(every: .microseconds(500), for: .seconds(1))
        #expect(wait == .microseconds(1_900))
        // Without waiting there would be 2,000 turns. 64 pass before the rate is known.
        #expect(loop.count < 600)
    }

    @Test func aLoopThatWaitsGoesOnUntilThereIsClearlyLess() {
        var loop = Loop()
        _ = loop.carry(every: .microseconds(500), for: .milliseconds(100))
        _ = loop.carry(every: .microseconds(1_500), for: .milliseconds(100))
        #expect(loop.turns.isWaiting)
        _ = loop.carry(every: .microseconds(1_700), for: .milliseconds(100))
        #expect(!loop.turns.isWaiting)
    }

    @Test func theFirstPacketAfterAQuietTimeIsNotDelayed() {
        var loop = Loop()
        _ = loop.carry(every: .microseconds(100), for: .milliseconds(100))
        loop.now = loop.now + .seconds(1)
        #expect(loop.turn(1) == .zero)
    }

    @Test func aTurnAndTheWaitAfterItTakeTheDelayTogether() {
        var loop = Loop()
        _ = loop.carry(every: .microseconds(100), for: .milliseconds(100))
        #expect(loop.turn(20, taking: .microseconds(1_500)) == .microseconds(500))
        #expect(loop.turn(20, taking: .microseconds(2_500)) == .zero)
        #expect(loop.turn(20, taking: .microseconds(100)) == .microseconds(1_900))
    }

    @Test func aTurnWithoutPacketsIsFollowedByTheNextAtOnce() {
        var loop = Loop()
        _ = loop.carry(every: .microseconds(100), for: .milliseconds(100))
        #expect(loop.turn(0) == .zero)
        #expect(loop.turns.isWaiting)
    }

    /// It would otherwise be slowed down for nothing: only one packet is to be gathered.
    @Test func aDeviceThatWaitsForEachAnswerIsNotDelayedForLong() {
        var loop = Loop()
        _ = loop.carry(every: .microseconds(300), for: .milliseconds(40))
        #expect(loop.turns.isWaiting)
        // Its message and the broker's answer each come while the loop waits.
        for _ in 0..<40 { _ = loop.turn(1) }
        #expect(!loop.turns.isWaiting)
    }
}

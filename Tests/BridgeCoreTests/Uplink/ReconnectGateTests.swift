import BridgeCore
import NIOCore
import Testing

@Suite struct ReconnectGateTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }
    private func gate() -> ReconnectGate { ReconnectGate(minimum: .seconds(1), maximum: .seconds(4)) }

    /// The permission to connect, which the test expects to get.
    private func pass(_ gate: inout ReconnectGate, at seconds: Double) throws -> ReconnectGate.Pass {
        guard case .go(let pass) = gate.request(at: at(seconds)) else { throw NoPass() }
        return pass
    }

    private struct NoPass: Error {}

    @Test func aHealthyUplinkLetsEverybodyTry() throws {
        var gate = gate()
        _ = try pass(&gate, at: 0)
        _ = try pass(&gate, at: 0)
        #expect(gate.isOpen)
    }

    @Test func afterAFailureOneTriesAndTheOthersWait() throws {
        var gate = gate()
        gate.failed(try pass(&gate, at: 0), at: at(0), jitter: 1)
        #expect(gate.request(at: at(0.5)) == .wait(until: at(1)))
        _ = try pass(&gate, at: 1)
        #expect(gate.request(at: at(1)) == .waitForProbe)
        gate.succeeded()
        _ = try pass(&gate, at: 1)
    }

    @Test func theCapDoublesUpToTheMaximum() throws {
        var gate = gate()
        var now = 0.0
        var last = try pass(&gate, at: 0)
        for pause in [1.0, 2, 4, 4, 4] {
            gate.failed(last, at: at(now), jitter: 1)
            #expect(gate.request(at: at(now)) == .wait(until: at(now + pause)))
            now += pause
            last = try pass(&gate, at: now)
        }
    }

    @Test func thePauseIsBetweenNothingAndTheCap() throws {
        for jitter in [0, 0.25, 1] {
            var gate = gate()
            gate.failed(nil, at: at(10), jitter: jitter)
            _ = try pass(&gate, at: 10 + jitter)
        }
    }

    @Test func attemptsThatWereUnderWayCountOnce() throws {
        var gate = gate()
        let passes = try (0..<100).map { _ in try pass(&gate, at: 0) }
        for pass in passes { gate.failed(pass, at: at(0), jitter: 1) }
        #expect(gate.request(at: at(0)) == .wait(until: at(1)))
    }

    @Test func anAttemptFromBeforeThePauseIsNotTheProbe() throws {
        var gate = gate()
        let early = try pass(&gate, at: 0)
        gate.failed(try pass(&gate, at: 0), at: at(0), jitter: 1)
        let probe = try pass(&gate, at: 1)
        gate.failed(early, at: at(1), jitter: 1)
        gate.abandoned(early, at: at(1))
        #expect(gate.request(at: at(1)) == .waitForProbe)
        gate.failed(probe, at: at(1), jitter: 1)
        #expect(gate.request(at: at(1)) == .wait(until: at(3)))
    }

    @Test func anAttemptFromBeforeItOpenedAgainSaysNothingNew() throws {
        var gate = gate()
        let early = try pass(&gate, at: 0)
        gate.failed(try pass(&gate, at: 0), at: at(0), jitter: 1)
        let probe = try pass(&gate, at: 1)
        gate.pathAnswered(at: at(1.5))
        gate.failed(early, at: at(1.6), jitter: 1)
        gate.failed(probe, at: at(1.6), jitter: 1)
        #expect(gate.isOpen)
    }

    @Test func anAbandonedProbeMakesRoomForTheNext() throws {
        var gate = gate()
        gate.failed(nil, at: at(0), jitter: 1)
        let probe = try pass(&gate, at: 1)
        gate.abandoned(probe, at: at(1.5))
        _ = try pass(&gate, at: 1.5)
    }

    /// Another way is tried while an attempt is still under way. Giving that attempt up later makes no room for a
    /// third.
    @Test func anEarlierAttemptMakesNoRoomBesideTheOneThatGoesAhead() throws {
        var gate = gate()
        let early = try pass(&gate, at: 0)
        gate.again(nil, at: at(0))
        let first = try pass(&gate, at: 0)
        gate.again(early, at: at(1))
        let second = try pass(&gate, at: 1)
        gate.abandoned(first, at: at(1))
        gate.failed(first, at: at(1), jitter: 1)
        #expect(gate.request(at: at(1)) == .waitForProbe)
        gate.abandoned(second, at: at(1))
        _ = try pass(&gate, at: 1)
    }

    @Test func anotherTryHasItsTimeAndCountsAsNoFailure() throws {
        var gate = gate()
        gate.again(try pass(&gate, at: 0), at: at(3))
        #expect(gate.request(at: at(2.9)) == .wait(until: at(3)))
        let second = try pass(&gate, at: 3)
        #expect(gate.request(at: at(3)) == .waitForProbe)
        gate.failed(second, at: at(3), jitter: 1)
        #expect(gate.request(at: at(3)) == .wait(until: at(4)))
    }

    @Test func whatElseThereIsToTryEndsThePause() throws {
        var gate = gate()
        gate.failed(nil, at: at(0), jitter: 1)
        gate.hurry(at: at(0.1))
        _ = try pass(&gate, at: 0.1)
    }

    @Test func aPauseThatTheBrokerAskedForIsKept() {
        var gate = gate()
        gate.failed(nil, at: at(0), jitter: 0, atLeast: .seconds(10))
        gate.pathAnswered(at: at(1))
        gate.hurry(at: at(1))
        gate.again(nil, at: at(1))
        #expect(gate.request(at: at(9)) == .wait(until: at(10)))
    }
}

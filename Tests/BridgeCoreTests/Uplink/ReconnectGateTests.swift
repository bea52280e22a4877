import BridgeCore
import NIOCore
import Testing

@Suite struct ReconnectGateTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }
    private func gate() -> ReconnectGate { ReconnectGate(minimum: .seconds(1), maximum: .seconds(4)) }

    @Test func aHealthyUplinkLetsEverybodyTry() {
        var gate = gate()
        #expect(gate.request(at: at(0)) == .go)
        #expect(gate.request(at: at(0)) == .go)
    }

    @Test func afterAFailureOneTriesAndTheOthersWait() {
        var gate = gate()
        gate.failed(at: at(0), jitter: 1)
        #expect(gate.request(at: at(0.5)) == .wait(until: at(1)))
        #expect(gate.request(at: at(1)) == .go)
        #expect(gate.request(at: at(1)) == .waitForProbe)
        gate.succeeded()
        #expect(gate.request(at: at(1)) == .go)
    }

    @Test func theCapDoublesUpToTheMaximum() {
        var gate = gate()
        var now = 0.0
        for pause in [1.0, 2, 4, 4, 4] {
            gate.failed(at: at(now), jitter: 1)
            #expect(gate.request(at: at(now)) == .wait(until: at(now + pause)))
            now += pause
            #expect(gate.request(at: at(now)) == .go)
        }
    }

    @Test func thePauseIsBetweenNothingAndTheCap() {
        for jitter in [0, 0.25, 1] {
            var gate = gate()
            gate.failed(at: at(10), jitter: jitter)
            #expect(gate.request(at: at(10 + jitter)) == .go)
        }
    }

    @Test func attemptsThatWereUnderWayCountOnce() {
        var gate = gate()
        for _ in 0..<100 { gate.failed(at: at(0), jitter: 1) }
        #expect(gate.request(at: at(0)) == .wait(until: at(1)))
    }

    @Test func anAbandonedProbeMakesRoomForTheNext() {
        var gate = gate()
        gate.failed(at: at(0), jitter: 1)
        #expect(gate.request(at: at(1)) == .go)
        gate.abandoned(at: at(1.5))
        #expect(gate.request(at: at(1.5)) == .go)
    }
}

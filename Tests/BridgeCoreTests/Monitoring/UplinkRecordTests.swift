import BridgeCore
import NIOCore
import Testing

@Suite struct UplinkRecordTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func connections(standing: Int = 0, taking: Int = 0, silent: Int = 0, since: NIODeadline? = nil)
        -> UplinkRecord.Connections
    {
        var connections = UplinkRecord.Connections()
        connections.taking = taking
        (connections.standing, connections.silent, connections.silentSince) = (standing, silent, since)
        return connections
    }

    @Test func nothingIsKnownBeforeTheFirstAttempt() {
        #expect(UplinkRecord().verdict(connections(), at: start).state == .unknown)
    }

    @Test func aSuccessCountsForAMinute() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        #expect(record.verdict(connections(), at: start + .seconds(59)) == .init(state: .up, since: start))
        let later = record.verdict(connections(), at: start + .seconds(61))
        #expect(later == .init(state: .unknown, since: start + .seconds(60)))
        #expect(record.verdict(connections(standing: 1), at: start + .seconds(300)).state == .up)
    }

    @Test func aFailureCountsUntilASuccess() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        record.failed("no answer", at: start + .seconds(1))
        record.failed("refused", at: start + .seconds(2))
        let down = record.verdict(connections(), at: start + .seconds(50))
        #expect(down == .init(state: .down, since: start + .seconds(1), problem: "refused"))
        // The next device needs a connection of its own, unless one that stands takes it.
        #expect(record.verdict(connections(standing: 1), at: start + .seconds(3)) == down)
        #expect(record.verdict(connections(standing: 1, taking: 1), at: start + .seconds(3)).state == .up)
        record.succeeded(at: start + .seconds(4))
        #expect(record.verdict(connections(), at: start + .seconds(5)) == .init(state: .up, since: start + .seconds(4)))
    }

    /// Nothing tries any more, so nothing is known; unless devices wait, so that something tries, however seldom.
    @Test func aFailureIsForgottenWhenNobodyTries() {
        var record = UplinkRecord()
        record.failed("refused", at: start)
        let late = start + .seconds(61)
        let forgotten = record.verdict(connections(), at: late)
        #expect(forgotten.state == .unknown && forgotten.since == start + .seconds(60))
        #expect(forgotten.problem == "the last attempt failed: refused")
        #expect(record.verdict(connections(), isAwaited: true, at: late).state == .down)
        #expect(record.verdict(connections(silent: 1, since: late), at: late).state == .unknown)
    }

    /// A server that refuses a burst takes most of it a moment later. One that goes on refusing is no good.
    @Test func refusalsCountWhenTheyGoOn() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        for second in 1..<10 {
            record.failed("refused", isRetried: true, at: start + .seconds(Int64(second)))
            let verdict = record.verdict(connections(standing: 3), at: start + .seconds(Int64(second)))
            #expect(verdict.state == (second < 6 ? .up : .down))
        }
        #expect(record.verdict(connections(), at: start + .seconds(10)).problem == "refused")
        // Nothing has tried since, so what stands says as little as the failure.
        #expect(record.verdict(connections(standing: 3), at: start + .seconds(70)).state == .unknown)
        record.succeeded(at: start + .seconds(71))
        record.failed("refused", isRetried: true, at: start + .seconds(72))
        #expect(record.verdict(connections(standing: 3), at: start + .seconds(73)).state == .up)
    }

    @Test func connectionsOnWhichNothingComesSayNothing() {
        var (record, unheard) = (UplinkRecord(), connections())
        unheard.unheard = 2
        record.succeeded(at: start)
        #expect(record.verdict(unheard, at: start + .seconds(1)).state == .up)
        #expect(record.verdict(unheard, at: start + .seconds(61)).state == .unknown)
        #expect(unheard.all == 2)
    }

    /// The connection stands, but a broker that does not answer CONNECT is of no use.
    @Test func connectsThatAreNotAnsweredCount() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        var (one, other) = (connections(standing: 1, taking: 1), connections())
        one.connects.count(.timeout, at: start + .seconds(1))
        #expect(record.verdict(one, at: start + .seconds(2)).state == .up)
        other.connects.count(.unreachable, at: start + .seconds(3))
        let down = record.verdict(one + other, at: start + .seconds(4))
        #expect(down.state == .down && down.since == start + .seconds(1) && down.problem != nil)
        #expect(record.verdict(one + other, at: start + .seconds(64)).state == .up)
        other.connects.count(.abandoned, at: start + .seconds(5))
        other.connects.count(.refusedByBrokerAuthorization, at: start + .seconds(5))
        #expect(record.verdict(one + other, at: start + .seconds(6)).state == .up)
        one.connects.count(.timeout, at: start + .seconds(7))
        one.connects.count(.timeout, at: start + .seconds(8))
        #expect(record.verdict(other + one, at: start + .seconds(9)).state == .down)
    }

    /// `serve` refuses further connections, so no CONNECT of another device is sent that the broker could answer.
    @Test func aConnectionThatCannotBeMadeIsTheReason() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        record.failed("the server refuses connections", isRetried: true, at: start + .seconds(1))
        var found = connections(standing: 1)
        found.connects.count(.timeout, at: start + .seconds(1))
        found.connects.count(.timeout, at: start + .seconds(2))
        let down = record.verdict(found, at: start + .seconds(3))
        #expect(down.state == .down && down.problem == "the server refuses connections")
    }

    /// The broker behind `serve` is down, and `serve` answers in its place.
    @Test(arguments: [1, 0])
    func aBrokerThatRefusesEveryDeviceIsDown(standing: Int) {
        var record = UplinkRecord()
        record.succeeded(at: start)
        var found = connections(standing: standing, taking: standing)
        func state(at seconds: Int64, isAwaited: Bool = false) -> StatusReport.Uplink.State {
            record.verdict(found, isAwaited: isAwaited, at: start + .seconds(seconds)).state
        }
        for second in [1, 3] as [Int64] {
            found.connects.count(.refusedByBrokerBusy, at: start + .seconds(second))
            #expect(state(at: second) == .up)
        }
        found.connects.count(.refusedByBrokerBusy, at: start + .seconds(6))
        let down = record.verdict(found, at: start + .seconds(7))
        #expect(down.state == .down && down.since == start + .seconds(1))
        #expect(down.problem == "the broker answers devices with \"server unavailable\" or \"server busy\"")
        // Those that are refused have something in common that the others have not.
        #expect(record.verdict(found, isServing: true, at: start + .seconds(7)).state == .up)
        // Nobody comes, so somebody has to try. Held devices do so themselves.
        #expect(state(at: 35) == .down && state(at: 36) == .up && state(at: 36, isAwaited: true) == .down)
        found.connects.count(.refusedByBrokerBusy, at: start + .seconds(40))
        #expect(state(at: 41) == .down)
        found.connects.count(.accepted, at: start + .seconds(42))
        #expect(state(at: 42) == .up)
    }

    @Test(arguments: [ConnectOutcome.accepted, .refusedByBrokerAuthorization, .refusedByBrokerOther])
    func aBrokerThatIsBusyForAMomentIsUp(answer: ConnectOutcome) {
        var record = UplinkRecord()
        record.succeeded(at: start)
        var (one, other) = (connections(standing: 1, taking: 1), connections())
        func state(at seconds: Int64) -> StatusReport.Uplink.State {
            record.verdict(one + other, at: start + .seconds(seconds)).state
        }
        // All in one moment.
        for millisecond in 0..<100 as Range<Int64> {
            one.connects.count(.refusedByBrokerBusy, at: start + .milliseconds(millisecond * 10))
        }
        #expect(state(at: 1) == .up)
        // Another one is served on another event loop.
        other.connects.count(answer, at: start + .seconds(4))
        one.connects.count(.refusedByBrokerBusy, at: start + .seconds(6))
        #expect(state(at: 6) == .up)
        one.connects.count(.refusedByBrokerBusy, at: start + .seconds(8))
        #expect(state(at: 8) == .up)
        // What was refused long ago does not count.
        one.connects.count(.refusedByBrokerBusy, at: start + .seconds(68))
        one.connects.count(.refusedByBrokerBusy, at: start + .seconds(74))
        #expect(state(at: 74) == .up)
        // Refusals on both loops count together.
        other.connects.count(.refusedByBrokerBusy, at: start + .seconds(75))
        #expect(state(at: 75) == .down)
    }

    /// What the attempts fail with is newer.
    @Test func aFailedAttemptSaysMoreThanRefusals() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        var found = connections()
        for second in [0, 3, 6] as [Int64] {
            found.connects.count(.refusedByBrokerBusy, at: start + .seconds(second))
        }
        record.failed("no answer", at: start + .seconds(7))
        #expect(record.verdict(found, at: start + .seconds(8)).problem == "no answer")
    }

    @Test func aSuccessSaysNothingOnceTheConnectionIsLost() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        record.lost(at: start + .seconds(10))
        #expect(record.verdict(connections(), at: start + .seconds(11)).state == .unknown)
        #expect(record.verdict(connections(standing: 1), at: start + .seconds(11)).state == .up)
        record.succeeded(at: start + .seconds(12))
        #expect(record.verdict(connections(), at: start + .seconds(13)).state == .up)
    }

    /// The connections that were made before the outage are still there, but nothing comes on them.
    @Test func silentConnectionsAreNone() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        let heard = start + .seconds(30)
        let silent = record.verdict(connections(silent: 2, since: heard), at: start + .seconds(40))
        #expect(silent.state == .down && silent.since == heard && silent.problem != nil)
        record.succeeded(at: start + .seconds(50))
        #expect(record.verdict(connections(silent: 2, since: heard), at: start + .seconds(51)).state == .up)
    }

    @Test func theLaterRecordOfTwoLoopsCounts() {
        var (one, two) = (UplinkRecord(), UplinkRecord())
        one.succeeded(at: start)
        two.failed("gone", at: start + .seconds(1))
        #expect(UplinkRecord.latest(one, two).problem == "gone" && UplinkRecord.latest(two, one).problem == "gone")
        #expect(UplinkRecord.latest(UplinkRecord(), one) == one)
    }
}

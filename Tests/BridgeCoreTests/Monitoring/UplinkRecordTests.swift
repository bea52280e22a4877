import BridgeCore
import NIOCore
import Testing

@Suite struct UplinkRecordTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func connections(standing: Int = 0, silent: Int = 0, since: NIODeadline? = nil)
        -> UplinkRecord.Connections
    {
        var connections = UplinkRecord.Connections()
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
        #expect(record.verdict(connections(standing: 1), at: start + .seconds(3)).state == .up)
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

    @Test func aSuccessSaysNothingOnceTheConnectionIsLost() {
        var record = UplinkRecord()
        record.succeeded(at: start)
        record.lost(at: start + .seconds(10))
        #expect(record.verdict(connections(), at: start + .seconds(11)).state == .unknown)
        #expect(record.verdict(connections(standing: 1), at: start + .seconds(11)).state == .up)
        record.succeeded(at: start + .seconds(12))
        #expect(record.verdict(connections(), at: start + .seconds(13)).state == .up)
    }

    /// The connections of before the outage are still there, but nothing comes on them.
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

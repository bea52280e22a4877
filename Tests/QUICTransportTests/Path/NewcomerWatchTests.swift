import NIOCore
import QUICTransport
import Testing

@Suite struct NewcomerWatchTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }

    private func facts(_ unanswered: Double?, probeTimeout: Duration = .milliseconds(50)) -> PathWatch.Facts {
        PathWatch.Facts(
            unansweredSince: unanswered.map { at($0) }, lastReceived: at(1), lastSent: nil, probeTimeout: probeTimeout)
    }

    @Test(arguments: [
        (connectTimeout: Duration.seconds(5), probeTimeout: Duration.milliseconds(50), patience: 1),
        (connectTimeout: .seconds(1), probeTimeout: .milliseconds(50), patience: 0.25),
        (connectTimeout: .seconds(5), probeTimeout: .milliseconds(500), patience: 1.5),
    ])
    func theyAreThoughtOfAfterAWhile(connectTimeout: Duration, probeTimeout: Duration, patience: Double) {
        let watch = NewcomerWatch(connectTimeout: connectTimeout)
        #expect(!watch.isDue(facts(nil), at: at(100)))
        #expect(!watch.isDue(facts(10, probeTimeout: probeTimeout), at: at(10 + patience - 0.01)))
        #expect(watch.isDue(facts(10, probeTimeout: probeTimeout), at: at(10 + patience)))
    }

    @Test func theyLeaveAServerThatAnswersElsewhere() {
        var watch = NewcomerWatch(connectTimeout: .seconds(5))
        // The watch has not asked.
        #expect(watch.serverAnswered(at: at(10.4)) == false)
        #expect(watch.look(facts(10), at: at(10.5)) == false)
        #expect(watch.awaitsServer)
        #expect(watch.serverAnswered(at: at(10.51)) == true)
        // The server may be about to answer here. Later answers do not change when it first answered.
        #expect(watch.look(facts(10), at: at(10.7)) == false)
        #expect(watch.serverAnswered(at: at(10.7)) == true)
        #expect(watch.look(facts(10), at: at(10.75)) == true)
        #expect(!watch.awaitsServer)
    }

    @Test func theyWaitOutAHiccup() {
        var watch = NewcomerWatch(connectTimeout: .seconds(5))
        #expect(watch.look(facts(10), at: at(10.5)) == false)
        #expect(watch.serverAnswered(at: at(10.51)) == true)
        // A datagram came.
        watch.rest()
        #expect(!watch.isDue(facts(10.6), at: at(10.75)))
        // An answer from that time says nothing about now.
        #expect(watch.look(facts(20), at: at(20.5)) == false)
        #expect(watch.look(facts(20), at: at(21)) == false)
    }

    @Test(arguments: [(Duration.seconds(5), 2.5), (.seconds(2), 1)])
    func theyLeaveInTimeForAnotherWay(connectTimeout: Duration, patience: Double) {
        var watch = NewcomerWatch(connectTimeout: connectTimeout)
        #expect(watch.look(facts(10), at: at(10.5)) == false)
        #expect(watch.look(facts(10), at: at(10 + patience - 0.01)) == false)
        #expect(watch.look(facts(10), at: at(10 + patience)) == true)
    }

    @Test func aLongWayTakesLonger() {
        var watch = NewcomerWatch(connectTimeout: .seconds(5))
        let far = facts(10, probeTimeout: .seconds(1))
        #expect(!watch.isDue(far, at: at(12.9)))
        #expect(watch.look(far, at: at(12.9)) == false)
        #expect(watch.look(far, at: at(13)) == true)
    }
}

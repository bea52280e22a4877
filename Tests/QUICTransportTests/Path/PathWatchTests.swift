import NIOCore
import QUICTransport
import Testing

@Suite struct PathWatchTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }

    private func facts(unanswered: Double?, received: Double, probeTimeout: Duration = .milliseconds(100))
        -> PathWatch.Facts
    {
        PathWatch.Facts(
            unansweredSince: unanswered.map { at($0) }, lastReceived: at(received), probeTimeout: probeTimeout)
    }

    /// What is found by looking every 125 ms.
    private func looks(_ watch: inout PathWatch, _ facts: PathWatch.Facts, from start: Double, to end: Double)
        -> Set<PathWatch.Finding>
    {
        Set(stride(from: start, through: end, by: 0.125).map { watch.look(facts, at: at($0)) })
    }

    @Test func whatIsAnsweredIsHealthy() {
        var watch = PathWatch(timeout: nil)
        #expect(watch.look(facts(unanswered: nil, received: 1), at: at(100)) == .nothing)
        #expect(watch.look(facts(unanswered: 99.5, received: 1), at: at(100)) == .nothing)
        #expect(!watch.isSilent)
    }

    @Test(arguments: [
        (timeout: Duration?.none, probeTimeout: Duration.milliseconds(100), patience: 1.0),
        (timeout: nil, probeTimeout: .milliseconds(500), patience: 1.5),
        (timeout: .milliseconds(200), probeTimeout: .milliseconds(500), patience: 0.2),
        (timeout: .seconds(5), probeTimeout: .milliseconds(500), patience: 5),
    ])
    func itFallsSilentAfterItsPatience(timeout: Duration?, probeTimeout: Duration, patience: Double) {
        var watch = PathWatch(timeout: timeout)
        let facts = facts(unanswered: 10, received: 8, probeTimeout: probeTimeout)
        #expect(watch.look(facts, at: at(10 + patience - 0.01)) == .nothing)
        #expect(watch.look(facts, at: at(10 + patience)) == .silent)
        #expect(watch.isSilent)
        #expect(watch.look(facts, at: at(10 + patience + 1)) == .nothing)
    }

    @Test func aDatagramEndsTheSilence() {
        var watch = PathWatch(timeout: nil)
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(11)) == .silent)
        #expect(watch.look(facts(unanswered: nil, received: 20), at: at(20)) == .answered(after: .seconds(12)))
        #expect(!watch.isSilent)
        #expect(watch.look(facts(unanswered: nil, received: 20), at: at(21)) == .nothing)
        #expect(watch.look(facts(unanswered: 30, received: 20), at: at(31)) == .silent)
    }

    @Test func silenceAloneDoesNotKill() {
        var watch = PathWatch(timeout: nil)
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(11)) == .silent)
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(3_600)) == .nothing)
    }

    @Test func anAnswerToOthersHurriesTheSilentOnly() {
        var watch = PathWatch(timeout: nil)
        #expect(watch.serverAnswered(at: at(1)) == false)
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(11)) == .silent)
        #expect(watch.serverAnswered(at: at(20)) == true)
        #expect(watch.serverAnswered(at: at(20.25)) == true)
        #expect(watch.look(facts(unanswered: nil, received: 20.5), at: at(20.5)) == .answered(after: .seconds(12.5)))
        #expect(watch.serverAnswered(at: at(21)) == false)
    }

    @Test func aServerThatAnswersOthersOnlyHasForgottenTheConnection() {
        var watch = PathWatch(timeout: nil)
        let facts = facts(unanswered: 10, received: 8)
        #expect(watch.look(facts, at: at(11)) == .silent)
        for time in stride(from: 20, to: 21, by: 0.25) {
            #expect(watch.serverAnswered(at: at(time)) == true)
            #expect(watch.look(facts, at: at(time)) == .nothing)
            #expect(watch.look(facts, at: at(time + 0.125)) == .again)
        }
        #expect(watch.look(facts, at: at(20.99)) == .nothing)
        #expect(watch.look(facts, at: at(21)) == .dead)
        #expect(watch.look(facts, at: at(22)) == .nothing)
        #expect(watch.serverAnswered(at: at(22)) == false)
        #expect(watch.isSilent)
    }

    @Test func aLinkThatWasBackForAMomentKillsNothing() {
        var watch = PathWatch(timeout: nil)
        let facts = facts(unanswered: 10, received: 8)
        #expect(watch.look(facts, at: at(11)) == .silent)
        #expect(watch.serverAnswered(at: at(20)) == true)
        #expect(watch.serverAnswered(at: at(20.25)) == true)
        #expect(looks(&watch, facts, from: 20.375, to: 21.125) == [.again])
        #expect(watch.look(facts, at: at(21.25)) == .nothing)
        #expect(watch.look(facts, at: at(22)) == .nothing)
        // The next return gets the whole patience again.
        #expect(watch.serverAnswered(at: at(30)) == true)
        #expect(looks(&watch, facts, from: 30.125, to: 30.5) == [.again])
        #expect(watch.serverAnswered(at: at(30.625)) == true)
        #expect(looks(&watch, facts, from: 30.75, to: 30.875) == [.again])
        #expect(watch.look(facts, at: at(31)) == .dead)
    }

    /// The program may have had no time to look. What counts is how often nothing came back.
    @Test func fewAttemptsAreNotEnough() {
        var watch = PathWatch(timeout: nil)
        let facts = facts(unanswered: 10, received: 8)
        #expect(watch.look(facts, at: at(11)) == .silent)
        #expect(watch.serverAnswered(at: at(20)) == true)
        for time in [20.4, 20.8, 21.2, 21.6, 22, 22.4, 22.8] {
            #expect(watch.serverAnswered(at: at(time - 0.01)) == true)
            #expect(watch.look(facts, at: at(time)) == (time < 22.8 ? .nothing : .dead))
        }
    }

    @Test(arguments: [
        (timeout: Duration.milliseconds(200), attempts: 1), (timeout: .milliseconds(500), attempts: 4),
        (timeout: .seconds(10), attempts: 8),
    ])
    func theAttemptsAreSpreadOverThePatience(timeout: Duration, attempts: Int) {
        var watch = PathWatch(timeout: timeout)
        let (start, end) = (NIODeadline.uptimeNanoseconds(0), NIODeadline.uptimeNanoseconds(20_000_000_000))
        let facts = PathWatch.Facts(unansweredSince: start, lastReceived: start, probeTimeout: .milliseconds(10))
        #expect(watch.look(facts, at: end) == .silent)
        #expect(watch.serverAnswered(at: end) == true)
        var sent = 1
        var now = end
        while true {
            now = now + .milliseconds(25)
            // Others are heard without a pause.
            let finding = watch.look(facts, at: now)
            if finding == .again { sent += 1 }
            guard finding != .dead, sent < 100 else { break }
            if watch.serverAnswered(at: now) { sent += 1 }
        }
        #expect(now - end == TimeAmount(timeout))
        #expect(sent >= attempts)
    }
}

@Suite struct ScoutPaceTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }

    /// Probes sent from `start` to `end`, asked every 50 ms.
    private func probes(_ pace: inout ScoutPace, from start: Int, to end: Int) -> Int {
        stride(from: Double(start), to: Double(end), by: 0.05).count { pace.isDue(at: at($0)) }
    }

    @Test func fourASecondForAMinuteAndThenOne() {
        var pace = ScoutPace()
        #expect((230...241).contains(probes(&pace, from: 100, to: 160)))
        #expect((55...61).contains(probes(&pace, from: 161, to: 221)))
        pace.stop()
        #expect((35...41).contains(probes(&pace, from: 300, to: 310)))
    }

    @Test func theFirstAnswerAfterAnOutageIsNews() {
        var pace = ScoutPace()
        _ = pace.isDue(at: at(100))
        #expect(pace.answered(at: at(100.1)) == true)
        #expect(pace.answered(at: at(100.2)) == false)
        _ = pace.isDue(at: at(101))
        #expect(pace.answered(at: at(101.1)) == false)
        _ = pace.isDue(at: at(102))
        _ = pace.isDue(at: at(103))
        #expect(pace.answered(at: at(103.1)) == true)
    }

    /// Otherwise a server that answers probes but refuses connections would be tried after every probe.
    @Test func aConnectionThatBeginsToWaitAgainIsToldOncePerMinute() {
        var pace = ScoutPace()
        _ = pace.isDue(at: at(100))
        #expect(pace.answered(at: at(100.1)) == true)
        pace.stop()
        #expect(!pace.isForgettable(at: at(110)))
        _ = pace.isDue(at: at(110))
        #expect(pace.answered(at: at(110.1)) == false)
        pace.stop()
        _ = pace.isDue(at: at(170))
        #expect(pace.answered(at: at(170.1)) == true)
        pace.stop()
        #expect(pace.isForgettable(at: at(231)))
    }

    @Test func anAnswerMakesItEagerAgain() {
        var pace = ScoutPace()
        _ = probes(&pace, from: 100, to: 200)
        #expect(pace.answered(at: at(200)) == true)
        #expect((35...41).contains(probes(&pace, from: 201, to: 211)))
    }

    @Test func answersThatNobodyAskedForAreNoNews() {
        var pace = ScoutPace()
        #expect(pace.answered(at: at(1)) == false)
        _ = pace.isDue(at: at(2))
        pace.stop()
        #expect(pace.answered(at: at(3)) == false)
    }
}

import NIOCore
import QUICTransport
import Testing

@Suite struct PathWatchTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }

    private func facts(
        unanswered: Double?, received: Double, sent: Double? = nil, probeTimeout: Duration = .milliseconds(100)
    ) -> PathWatch.Facts {
        PathWatch.Facts(
            unansweredSince: unanswered.map { at($0) }, lastReceived: at(received), lastSent: sent.map { at($0) },
            probeTimeout: probeTimeout)
    }

    /// What is found by looking every 125 ms, from after one time up to another. What is asked for is sent.
    private func looks(_ watch: inout PathWatch, after start: Double, to end: Double, isFull: Bool = false)
        -> [PathWatch.Finding]
    {
        var sent = start
        return stride(from: start + 0.125, through: end, by: 0.125).map { time in
            let finding = watch.look(facts(unanswered: 10, received: 8, sent: sent), at: at(time))
            if finding == .again, !isFull { sent = time }
            return finding
        }
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
        #expect(!watch.isHurried)
        #expect(watch.serverAnswered(at: at(20)) == true)
        #expect(watch.isHurried)
        #expect(watch.serverAnswered(at: at(20.25)) == false, "looking says when to send again")
        #expect(watch.look(facts(unanswered: nil, received: 20.5), at: at(20.5)) == .answered(after: .seconds(12.5)))
        #expect(watch.serverAnswered(at: at(21)) == false)
    }

    @Test func aServerThatAnswersOthersOnlyHasForgottenTheConnection() {
        var watch = PathWatch(timeout: nil)
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(11)) == .silent)
        #expect(watch.serverAnswered(at: at(20)) == true)
        #expect(looks(&watch, after: 20, to: 20.5) == [.again, .again, .again, .again])
        #expect(watch.serverAnswered(at: at(20.5)) == false)
        #expect(looks(&watch, after: 20.5, to: 21) == [.again, .again, .again, .dead])
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(22)) == .nothing)
        #expect(watch.serverAnswered(at: at(22)) == false)
        #expect(watch.isSilent)
    }

    @Test func aLinkThatWasBackForAMomentKillsNothing() {
        var watch = PathWatch(timeout: nil)
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(11)) == .silent)
        #expect(watch.serverAnswered(at: at(20)) == true)
        _ = watch.serverAnswered(at: at(20.25))
        #expect(!looks(&watch, after: 20, to: 22).contains(.dead))
        #expect(!watch.isHurried)
        // The next return gets the whole patience again.
        #expect(watch.serverAnswered(at: at(30)) == true)
        #expect(looks(&watch, after: 30, to: 30.5) == [.again, .again, .again, .again])
        _ = watch.serverAnswered(at: at(30.625))
        #expect(looks(&watch, after: 30.5, to: 31) == [.again, .again, .again, .dead])
    }

    /// A full congestion window holds back what is asked for, or the program has no time to look. What counts is how
    /// often something went out and nothing came back.
    @Test func fewAttemptsAreNotEnough() {
        var watch = PathWatch(timeout: nil)
        #expect(watch.look(facts(unanswered: 10, received: 8), at: at(11)) == .silent)
        #expect(watch.serverAnswered(at: at(20)) == true)
        for time in [20.0, 21] {
            #expect(!looks(&watch, after: time, to: time + 0.875, isFull: true).contains(.dead))
            _ = watch.serverAnswered(at: at(time + 1))
        }
        // It may be that no more can go out before the idle timeout.
        #expect(looks(&watch, after: 22, to: 22.875, isFull: true).allSatisfy { $0 == .again })
        _ = watch.serverAnswered(at: at(22.9))
        #expect(looks(&watch, after: 22.875, to: 23, isFull: true) == [.dead])
    }

    @Test(arguments: [
        (timeout: Duration.milliseconds(200), attempts: 1), (timeout: .milliseconds(500), attempts: 4),
        (timeout: .seconds(10), attempts: 8),
    ])
    func theAttemptsAreSpreadOverThePatience(timeout: Duration, attempts: Int) {
        var watch = PathWatch(timeout: timeout)
        let (start, end) = (NIODeadline.uptimeNanoseconds(0), NIODeadline.uptimeNanoseconds(20_000_000_000))
        var sent = end
        func look(at now: NIODeadline) -> PathWatch.Finding {
            watch.look(
                PathWatch.Facts(
                    unansweredSince: start, lastReceived: start, lastSent: sent, probeTimeout: .milliseconds(10)),
                at: now)
        }
        #expect(look(at: end) == .silent)
        #expect(watch.serverAnswered(at: end) == true)
        var count = 1
        var now = end
        while now < end + .seconds(60) {
            now = now + .milliseconds(25)
            let finding = look(at: now)
            guard finding != .dead else { break }
            if finding == .again {
                sent = now
                count += 1
            }
            // Others are heard without a pause.
            _ = watch.serverAnswered(at: now)
        }
        #expect(now - end == TimeAmount(timeout))
        #expect((attempts...attempts + 1).contains(count), "\(count)")
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

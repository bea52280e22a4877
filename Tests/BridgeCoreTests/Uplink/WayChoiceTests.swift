import BridgeCore
import NIOCore
import Testing

@Suite struct WayChoiceTests {
    typealias Failure = UplinkWay.Failure
    typealias Verdict = WayChoice.Verdict
    typealias Candidate = UplinkWay

    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64((100 + seconds) * 1e9)) }

    private func choice(_ endpoints: Int = 1, tls: Bool = true, patience: Duration = .seconds(5)) -> WayChoice {
        WayChoice(endpoints: endpoints, hasFallback: tls, patience: patience)
    }

    private func fail(
        _ choice: inout WayChoice, _ failure: Failure, from start: Double, at end: Double, jitter: Double = 0.5
    ) -> Verdict {
        choice.failed(choice.chosen, failure, "\(failure)", startedAt: at(start), at: at(end), jitter: jitter)
    }

    struct First: Sendable {
        let failure: Failure
        /// With one endpoint and TLS.
        let withTLS: Verdict
        /// With two endpoints and TLS.
        let withAnother: Verdict
    }

    @Test(arguments: [
        First(failure: .unanswered, withTLS: .next(.tls), withAnother: .next(.quic(1))),
        First(failure: .network, withTLS: .again(after: .seconds(1)), withAnother: .next(.quic(1))),
        First(failure: .alpnMismatch, withTLS: .next(.tls), withAnother: .next(.quic(1))),
        First(failure: .certificate, withTLS: .exhausted, withAnother: .next(.quic(1))),
        First(failure: .refused, withTLS: .exhausted, withAnother: .next(.quic(1))),
        First(failure: .other, withTLS: .exhausted, withAnother: .next(.quic(1))),
    ])
    func whatAFirstFailureLeadsTo(_ row: First) {
        var one = choice()
        #expect(fail(&one, row.failure, from: 0, at: 1) == row.withTLS)
        var two = choice(2)
        #expect(fail(&two, row.failure, from: 0, at: 1) == row.withAnother)
        var alone = choice(tls: false)
        #expect(fail(&alone, row.failure, from: 0, at: 1) == .exhausted)
    }

    @Test func theNetworkIsTriedAgainThreeTimesBeforeTLS() {
        var choice = choice(patience: .seconds(10))
        #expect(fail(&choice, .network, from: 0, at: 0) == .again(after: .seconds(1)))
        #expect(fail(&choice, .network, from: 1, at: 1) == .again(after: .seconds(2)))
        #expect(fail(&choice, .network, from: 3, at: 3) == .again(after: .seconds(4)))
        #expect(choice.chosen == .quic(0))
        #expect(fail(&choice, .network, from: 7, at: 7) == .next(.tls))
    }

    /// The next endpoint is used without another attempt, and the one that was left is tried again later.
    @Test func aServerThatShutsDownIsLeft() {
        var choice = choice(2)
        _ = choice.succeeded(.quic(0), at: at(0), jitter: 0)
        #expect(choice.left(.quic(0), "shutting down", at: at(1), jitter: 0) == .quic(1))
        #expect(choice.chosen == .quic(1) && choice.nextProbe != nil && !choice.isDark)
        // The other connections to it end, too.
        #expect(choice.left(.quic(0), "shutting down", at: at(1), jitter: 0) == nil)
        #expect(choice.succeeded(.quic(1), at: at(2), jitter: 0)?.why == "shutting down")
        // Where to go if both are left? Nowhere: they are asked again, and not the fallback.
        #expect(choice.left(.quic(1), "shutting down", at: at(3), jitter: 0) == .quic(0))
        #expect(choice.left(.quic(0), "shutting down", at: at(4), jitter: 0) == nil)
        #expect(choice.chosen == .quic(0))
        // Not one of these ways: it was one of earlier settings.
        #expect(choice.left(.quic(2), "shutting down", at: at(4), jitter: 0) == nil && choice.leftWays.count <= 2)
        var alone = self.choice()
        #expect(alone.left(.quic(0), "shutting down", at: at(1), jitter: 0) == nil && !alone.isDark)
    }

    /// Its server still answers probes and refuses connections, and an earlier attempt may even succeed there.
    @Test func onlyAHandshakeThatCarriesNothingBringsAWayBackThatWasLeft() throws {
        var choice = choice(2)
        _ = choice.succeeded(.quic(0), at: at(0), jitter: 0.5)
        _ = choice.left(.quic(0), "shutting down", at: at(1), jitter: 0.5)
        let probe = choice.nextProbe
        choice.pathAnswered(0, at: at(1.1))
        #expect(choice.chosen == .quic(1) && choice.nextProbe == probe)
        #expect(choice.succeeded(.quic(0), at: at(1.2), jitter: 0.5) == nil && choice.chosen == .quic(1))
        _ = choice.succeeded(.quic(1), at: at(1.3), jitter: 0.5)
        choice.pathAnswered(0, at: at(2))
        #expect(choice.chosen == .quic(1) && choice.nextProbe == probe)
        #expect(choice.takeProbes(at: try #require(probe)) == [.quic(0)])
        #expect(choice.probeSucceeded(.quic(0), at: at(40), jitter: 0.5)?.to == .quic(0))
        #expect(choice.chosen == .quic(0) && choice.leftWays == [])
    }

    /// It is better than none, because its server may have started again.
    @Test func aWayThatWasLeftIsTheLastThatIsTried() {
        var choice = choice(3)
        _ = choice.succeeded(.quic(0), at: at(0), jitter: 0)
        #expect(choice.left(.quic(0), "shutting down", at: at(1), jitter: 0) == .quic(1))
        _ = choice.succeeded(.quic(1), at: at(2), jitter: 0)
        #expect(fail(&choice, .unanswered, from: 10, at: 11) == .next(.quic(2)))
        #expect(fail(&choice, .unanswered, from: 11, at: 12) == .next(.tls))
        #expect(fail(&choice, .unanswered, from: 12, at: 13) == .next(.quic(0)) && choice.leftWays == [])
        #expect(fail(&choice, .unanswered, from: 13, at: 14) == .exhausted && choice.chosen == .quic(1))
    }

    @Test func whenAllFailTheSearchBeginsAgainAtOneThatWasNotLeft() {
        var choice = choice(2, tls: false)
        _ = choice.succeeded(.quic(0), at: at(0), jitter: 0)
        _ = choice.left(.quic(0), "shutting down", at: at(1), jitter: 0)
        #expect(fail(&choice, .unanswered, from: 1, at: 6) == .exhausted && choice.chosen == .quic(1))
        // Now nothing else is known, so an answer counts.
        choice.pathAnswered(0, at: at(7))
        #expect(choice.chosen == .quic(0) && choice.leftWays == [])
    }

    @Test func aServerThatShutsDownIsRememberedAlsoIfItIsNotInUse() {
        var choice = choice(3, tls: false)
        _ = fail(&choice, .unanswered, from: 0, at: 1)
        _ = choice.succeeded(.quic(1), at: at(2), jitter: 0)
        #expect(choice.left(.quic(0), "shutting down", at: at(3), jitter: 0) == nil && choice.chosen == .quic(1))
        #expect(fail(&choice, .unanswered, from: 4, at: 5) == .next(.quic(2)))
    }

    @Test func triesEndWithTheTimeOfAHandshake() {
        var choice = choice()
        #expect(fail(&choice, .network, from: 0, at: 0.5) == .again(after: .seconds(1)))
        #expect(fail(&choice, .network, from: 1.5, at: 4.9) == .again(after: .seconds(2)))
        #expect(fail(&choice, .network, from: 6.9, at: 6.9) == .next(.tls))
    }

    @Test func attemptsThatWereUnderWayCountOnce() {
        var choice = choice()
        #expect(fail(&choice, .network, from: 0, at: 1) == .again(after: .seconds(1)))
        #expect(fail(&choice, .network, from: 0, at: 1) == .stale)
        #expect(fail(&choice, .network, from: 0.5, at: 1.1) == .stale)
        #expect(choice.failed(.tls, .network, "", startedAt: at(3), at: at(3), jitter: 0) == .stale)
        #expect(choice.chosen == .quic(0))
    }

    /// A rejected certificate must be reported and not bypassed. If another endpoint shows that UDP is blocked, TLS is
    /// tried.
    @Test func aCertificateAloneDoesNotLeadToTLS() {
        var choice = choice(2)
        #expect(fail(&choice, .certificate, from: 0, at: 1) == .next(.quic(1)))
        #expect(fail(&choice, .certificate, from: 1, at: 2) == .exhausted)
        #expect(choice.chosen == .quic(0))
        #expect(fail(&choice, .unanswered, from: 3, at: 8) == .next(.quic(1)))
        #expect(fail(&choice, .certificate, from: 8, at: 9) == .next(.tls))
    }

    @Test func whenAllHaveFailedTheLastThatWorkedComesFirst() {
        var choice = choice()
        #expect(fail(&choice, .unanswered, from: 0, at: 5) == .next(.tls))
        #expect(fail(&choice, .network, from: 5, at: 6) == .exhausted)
        #expect(choice.isDark)
        #expect(choice.chosen == .quic(0))
        #expect(fail(&choice, .unanswered, from: 6, at: 11) == .next(.tls))
        #expect(choice.succeeded(.tls, at: at(12), jitter: 0) != nil)
        #expect(!choice.isDark)
        #expect(fail(&choice, .network, from: 20, at: 21) == .next(.quic(0)))
        #expect(fail(&choice, .unanswered, from: 21, at: 26) == .exhausted)
        #expect(choice.chosen == .tls)
    }

    @Test func aChangeIsNewsWhenItHasProvedToWork() {
        var choice = choice()
        #expect(choice.succeeded(.quic(0), at: at(0), jitter: 0) == nil)
        #expect(fail(&choice, .unanswered, from: 1, at: 6) == .next(.tls))
        #expect(
            choice.succeeded(.tls, at: at(7), jitter: 0)
                == WayChoice.Change(from: .quic(0), to: .tls, why: "unanswered"))
        #expect(choice.succeeded(.tls, at: at(8), jitter: 0) == nil)
    }

    @Test func aLateSuccessOfALesserWayChangesNothing() {
        var choice = choice()
        #expect(choice.succeeded(.tls, at: at(0), jitter: 0) == nil)
        #expect(choice.chosen == .quic(0))
        #expect(choice.nextProbe == nil)
    }

    @Test func aLateSuccessOfABetterWayBringsItBack() {
        var choice = onTLS()
        #expect(
            choice.succeeded(.quic(0), at: at(9), jitter: 0)
                == WayChoice.Change(from: .tls, to: .quic(0), why: nil))
        #expect(choice.chosen == .quic(0))
        #expect(choice.nextProbe == nil)
    }
}

// MARK: - Probing

extension WayChoiceTests {
    /// In use since second 6.
    private func onTLS(_ endpoints: Int = 1) -> WayChoice {
        var choice = choice(endpoints)
        for _ in 0..<endpoints { _ = fail(&choice, .unanswered, from: 6, at: 6) }
        _ = choice.succeeded(.tls, at: at(7), jitter: 0.5)
        return choice
    }

    @Test func betterWaysAreTriedLessAndLessOften() {
        var choice = onTLS(2)
        var now = 6.0
        for pause in [30.0, 60, 120, 240, 480, 600, 600] {
            #expect(choice.nextProbe == at(now + pause))
            #expect(choice.takeProbes(at: at(now + pause - 0.1)) == [])
            now += pause
            #expect(choice.takeProbes(at: at(now)) == [.quic(0), .quic(1)])
            #expect(choice.nextProbe == nil)
            #expect(choice.takeProbes(at: at(now)) == [])
            choice.probesFailed(at: at(now), jitter: 0.5)
        }
    }

    @Test(arguments: [(0.0, 22.5), (0.5, 30), (1, 37.5)])
    func theTimeIsAQuarterMoreOrLess(jitter: Double, pause: Double) {
        var choice = choice()
        _ = fail(&choice, .unanswered, from: 0, at: 5, jitter: jitter)
        #expect(choice.nextProbe == at(5 + pause))
    }

    @Test func aProbeThatWorksBringsNewSessionsBack() {
        var choice = onTLS()
        #expect(choice.takeProbes(at: at(40)) == [.quic(0)])
        #expect(
            choice.probeSucceeded(.quic(0), at: at(40), jitter: 0.5)
                == WayChoice.Change(from: .tls, to: .quic(0), why: nil))
        #expect(choice.chosen == .quic(0))
        #expect(choice.nextProbe == nil)
    }

    @Test func aMiddleWayThatWorksIsTakenAndTheBestStillTried() {
        var choice = onTLS(2)
        #expect(choice.takeProbes(at: at(40)) == [.quic(0), .quic(1)])
        #expect(choice.probeSucceeded(.quic(1), at: at(40), jitter: 0.5)?.to == .quic(1))
        #expect(choice.chosen == .quic(1))
        #expect(choice.takeProbes(at: at(200)) == [.quic(0)])
    }

    /// Otherwise devices would return every half minute to a server whose handshakes work but whose connections do not.
    @Test func oneThatDoesNotLastIsTriedLessOften() {
        var choice = onTLS()
        _ = choice.takeProbes(at: at(37))
        _ = choice.probeSucceeded(.quic(0), at: at(37), jitter: 0.5)
        #expect(fail(&choice, .unanswered, from: 40, at: 45) == .next(.tls))
        _ = choice.succeeded(.tls, at: at(45), jitter: 0.5)
        #expect(choice.nextProbe == at(45 + 60))
        _ = choice.takeProbes(at: at(105))
        _ = choice.probeSucceeded(.quic(0), at: at(105), jitter: 0.5)
        #expect(fail(&choice, .unanswered, from: 995, at: 1000) == .next(.tls))
        _ = choice.succeeded(.tls, at: at(1000), jitter: 0.5)
        #expect(choice.nextProbe == at(1000 + 30))
    }

    @Test func anAnswerOfTheServerEndsTheSearch() {
        var dark = choice()
        _ = fail(&dark, .unanswered, from: 0, at: 5)
        dark.pathAnswered(0, at: at(5.5))
        #expect(dark.chosen == .quic(0))
        #expect(dark.failed(.quic(0), .unanswered, "", startedAt: at(6), at: at(11), jitter: 0) == .next(.tls))
    }

    @Test func anAnswerOfTheServerHastensTheProbe() {
        var choice = onTLS()
        choice.pathAnswered(0, at: at(10))
        #expect(choice.chosen == .tls)
        #expect(choice.takeProbes(at: at(10)) == [.quic(0)])
    }
}

import NIOCore
import Testing

@testable import BridgeCore

/// What is decided for all event loops together.
@Suite struct DialPolicyTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func policy(_ configuration: UplinkConfiguration = .plan()) -> DialPolicy {
        DialPolicy(configuration) { 1 }
    }

    private func permit(_ decision: DialDecision) throws -> DialPermit {
        guard case .go(let permit) = decision else { throw NoPermit() }
        return permit
    }

    private struct NoPermit: Error {}

    /// When to ask again; `nil` if the device may go, or waits to be woken.
    private func until(_ decision: DialDecision) -> NIODeadline? {
        if case .wait(let until) = decision { until } else { nil }
    }

    private func isWaiting(_ decision: DialDecision) -> Bool {
        if case .wait = decision { true } else { false }
    }

    @Test func aPlanThatWaitsForAPlaceIsWokenByAnyOutcome() throws {
        var policy = policy()
        let permits = try (0..<8).map { _ in try permit(policy.mayDial(.devices, for: 1, at: start)) }
        let outcomes: [(inout DialPolicy, DialPermit) -> Void] = [
            { _ = $0.succeeded($1, at: start) },
            { _ = $0.failed($1, .init(why: "", failure: .refused), at: start) },
            { $0.abandoned($1, at: start) },
            { _ = $0.failed($1, .init(why: "", failure: .unanswered), at: start) },
        ]
        for (number, outcome) in outcomes.enumerated() {
            // A request that is not granted is woken later, or is told when to ask again.
            while case .go = policy.mayDial(.devices, for: 1, at: start) {}
            policy.waitingForPlace = [7]
            _ = policy.takeWoken()
            outcome(&policy, permits[number])
            #expect(policy.takeWoken().some.contains(7))
            #expect(policy.takeWoken().isEmpty)
        }
    }

    @Test func aPlaceIsGivenBackIfAnotherReasonForbidsTheDial() throws {
        var policy = policy()
        policy.lost(.devices, at: start)
        let ahead = try permit(policy.mayDial(.devices, for: 1, at: start))
        #expect(isWaiting(policy.mayDial(.devices, for: 2, at: start)))
        #expect(isWaiting(policy.mayDialAhead(to: 0, .devices, for: 3, at: start)))
        #expect(policy.windows[0].count == 1)
        _ = policy.takeWoken()
        _ = policy.succeeded(ahead, at: start)
        #expect(policy.takeWoken().some == [2, 3])
        #expect(policy.windows[0].count == 0)
    }

    @Test func oneAheadOfTimeNeedsNoPassWhileNothingIsWrong() throws {
        var policy = policy()
        let ahead = try permit(policy.mayDialAhead(to: 0, .devices, for: 1, at: start))
        #expect(ahead.pass == nil)
        _ = policy.failed(ahead, .init(why: "", failure: .unanswered), at: start)
        _ = try permit(policy.mayDial(.devices, for: 1, at: start))
    }

    @Test func oneAheadOfTimeWaitsAWhileWhereTheWindowIsFull() throws {
        var policy = policy()
        for _ in 0..<8 { _ = try permit(policy.mayDial(.devices, for: 1, at: start)) }
        #expect(until(policy.mayDialAhead(to: 0, .devices, for: 1, at: start)) == start + .milliseconds(100))
    }

    @Test func aRefusalIsNoFailureOfTheWayUntilItHasLastedForAHandshake() throws {
        var policy = policy(.plan(endpoints: 2))
        let refusal = UplinkConnectionEnd(why: "connection refused", failure: .refused)
        var now = start
        while now < start + .seconds(5) {
            let permit = try permit(policy.mayDial(.devices, for: 1, at: now))
            let (verdict, news) = policy.failed(permit, refusal, at: now)
            #expect(verdict == .again(after: .zero))
            #expect(now == start ? news == .refused(atOnce: 4) : news == .none)
            now = now + .seconds(2)
        }
        let permit = try permit(policy.mayDial(.devices, for: 1, at: now))
        #expect(policy.failed(permit, refusal, at: now).verdict == .next(.quic(1)))
        #expect(policy.windows[0].count == 0)
    }

    @Test func withoutAnotherWayRefusalsAreNeverAFailure() throws {
        var policy = policy()
        var news: [DialPolicy.FailureNews] = []
        for second in stride(from: 0, through: 120, by: 2) {
            let now = start + .seconds(Int64(second))
            let permit = try permit(policy.mayDial(.devices, for: 1, at: now))
            let outcome = policy.failed(permit, .init(why: "connection refused", failure: .refused), at: now)
            #expect(outcome.verdict == .again(after: .zero))
            if outcome.news != .none { news.append(outcome.news) }
        }
        // There is one log line per minute.
        #expect(news == [.refused(atOnce: 4), .refused(atOnce: 1), .refused(atOnce: 1)])
        #expect(policy.failure(.devices) == "connection refused")
    }

    @Test func theLogHasAFailureOnceAndHearsOfItsEnd() throws {
        var policy = policy()
        let end = UplinkConnectionEnd(why: "no answer", failure: .unanswered)
        let first = try permit(policy.mayDial(.devices, for: 1, at: start))
        #expect(policy.failed(first, end, at: start).news == .failed(.exhausted))
        let later = start + .seconds(1)
        let second = try permit(policy.mayDial(.devices, for: 1, at: later))
        #expect(policy.failed(second, end, at: later).news == .none)
        let third = try permit(policy.mayDial(.devices, for: 1, at: later + .seconds(2)))
        #expect(policy.succeeded(third, at: later + .seconds(2)) == .init(change: nil, recoveredFrom: "no answer"))
        #expect(policy.failure(.devices) == nil)
    }

    @Test func whatTheLogHasAlreadyIsNotSaidAgain() throws {
        var policy = policy()
        let permit = try permit(policy.mayDial(.devices, for: 1, at: start))
        let end = UplinkConnectionEnd(why: "not authorized", isLogged: true)
        #expect(policy.failed(permit, end, at: start).news == .none)
    }

    @Test func aChangeOfTheWayWakesAllAndIsNewsWhenItHasWorked() throws {
        var policy = policy(.plan(fallback: true))
        let first = try permit(policy.mayDial(.devices, for: 1, at: start))
        let end = UplinkConnectionEnd(why: "no answer", failure: .unanswered)
        #expect(policy.failed(first, end, at: start).verdict == .next(.tls))
        #expect(policy.takeWoken().all)
        let second = try permit(policy.mayDial(.devices, for: 1, at: start))
        #expect(second.way == .tls && second.place == nil)
        #expect(
            policy.succeeded(second, at: start)
                == .init(change: .init(from: .quic(0), to: .tls, why: "no answer"), recoveredFrom: nil))
    }

    /// Each purpose that waits has another way to try.
    @Test func anotherWayEndsThePausesOfAllPurposes() throws {
        var policy = policy(.plan(.dataStream, endpoints: 2))
        policy.mustPause(.gateway(.v3_1_1), atLeast: .zero, at: start)
        #expect(until(policy.mayDial(.gateway(.v3_1_1), for: 1, at: start)) == start + .seconds(1))
        let permit = try permit(policy.mayDial(.gateway(.v5_0), for: 2, at: start))
        _ = policy.failed(permit, .init(why: "", failure: .unanswered), at: start)
        #expect(!isWaiting(policy.mayDial(.gateway(.v3_1_1), for: 1, at: start)))
    }

    @Test func thePathThatAnswersOpensTheGatesOfAllPurposesAndWakesAll() {
        var policy = policy(.plan(.dataStream))
        for purpose in [UplinkPurpose.gateway(.v5_0), .gateway(.v3_1_1)] {
            policy.mustPause(purpose, atLeast: .zero, at: start)
        }
        policy.pathAnswered(nil, at: start)
        #expect(policy.takeWoken().all)
        #expect(policy.backoffs.values.allSatisfy { $0.gate.isOpen })
    }

    @Test func afterALossDevicesGoAtThePaceOfTheOperator() {
        var policy = policy(.plan(reconnectsPerSecond: 10))
        #expect((0..<100).allSatisfy { _ in policy.admit(at: start) == nil })
        policy.disturbed(at: start)
        #expect(policy.admit(at: start) == nil)
        let next = policy.admit(at: start)
        #expect(next.map { $0 > start && $0 <= start + .milliseconds(101) } == true)
        #expect(until(policy.mayDial(.devices, for: 1, at: start)) == next)
        // No device waits for a connection made ahead of time, so it takes no turn.
        #expect(!isWaiting(policy.mayDialAhead(to: 0, .devices, for: 1, at: start)))
    }

    /// It was under way when another event loop heard that the server shuts down.
    @Test func aRefusalByAServerThatWasLeftIsNoReasonToTryItAgain() throws {
        var policy = policy(.plan(endpoints: 2))
        let permits = try (0..<2).map { _ in try permit(policy.mayDial(.devices, for: 1, at: start)) }
        #expect(policy.left(.quic(0), at: start) == .quic(1))
        #expect(policy.takeWoken().all)
        let (verdict, news) = policy.failed(permits[0], .init(why: "refused", failure: .refused), at: start)
        #expect(verdict == .stale && news == .failed(.stale) && policy.failure(.devices) == nil)
        policy.pathAnswered(0, at: start)
        _ = policy.succeeded(permits[1], at: start)
        #expect(policy.chosen == .quic(1) && policy.windows[0].count == 0)
        #expect(try permit(policy.mayDial(.devices, for: 1, at: start)).way == .quic(1))
    }

    @Test func onePlanTriesTheBetterWaysUntilThereAreNone() throws {
        var policy = policy(.plan(endpoints: 2))
        let isEarly = policy.claimsProbing()
        #expect(!isEarly)
        let permit = try permit(policy.mayDial(.devices, for: 1, at: start))
        _ = policy.failed(permit, .init(why: "", failure: .unanswered), at: start)
        let (isFirst, isSecond) = (policy.claimsProbing(), policy.claimsProbing())
        #expect(isFirst && !isSecond)
        let probe = policy.nextProbe()
        let time = try #require(probe)
        #expect(policy.takeProbes(at: time - .nanoseconds(1)) == [])
        #expect(policy.takeProbes(at: time) == [.quic(0)])
        _ = policy.takeWoken()
        _ = policy.probeSucceeded(.quic(0), at: time)
        #expect(policy.takeWoken().all && policy.chosen == .quic(0))
        #expect(policy.nextProbe() == nil && !policy.isProbed)
    }
}

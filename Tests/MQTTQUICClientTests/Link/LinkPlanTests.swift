import NIOCore
import QUICTransport
import TestSupport
import Testing

@testable import MQTTQUICClient

@Suite struct LinkPlanTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }

    /// A plan whose calls may stand in an expectation.
    private final class Planned {
        var plan: LinkPlan

        init(_ rules: LinkPlan.Rules) { plan = LinkPlan(rules) }

        func begin(at now: NIODeadline) -> LinkPlan.Step { plan.begin(at: now) }
        func resume(at now: NIODeadline) -> LinkPlan.Step { plan.resume(at: now) }
        func opened(_ way: LinkWay, at now: NIODeadline) { plan.opened(way, at: now) }

        func failed(
            _ way: LinkWay, _ obstacle: LinkPlan.Obstacle, at now: NIODeadline, jitter: Double
        ) -> LinkPlan.Step {
            plan.failed(way, obstacle, at: now, jitter: jitter)
        }
    }

    private func plan(hasFallback: Bool = true, isSameHost: Bool = true) -> Planned {
        Planned(
            LinkPlan.Rules(
                hasFallback: hasFallback, isSameHost: isSameHost, handshakeTimeout: .seconds(5), budget: .seconds(10)))
    }

    @Test func quicComesFirst() {
        let plan = plan()
        #expect(plan.begin(at: at(0)) == .dial(.quic, within: .seconds(5)))
    }

    /// What the first failure over QUIC leads to.
    @Test(arguments: [
        (
            LinkPlan.Obstacle.connection(.unanswered), LinkPlan.Step.dial(.tls, within: .seconds(9)),
            LinkPlan.Step.giveUp
        ),
        (.connection(.alpnMismatch), .dial(.tls, within: .seconds(9)), .giveUp),
        (.connection(.certificate), .giveUp, .giveUp),
        (.connection(.other), .giveUp, .giveUp),
        (.connection(.network), .wait(until: .uptimeNanoseconds(2_000_000_000)), .giveUp),
        (
            .connection(.refused), .wait(until: .uptimeNanoseconds(1_005_000_000)),
            .wait(until: .uptimeNanoseconds(1_005_000_000))
        ),
        (.name, .giveUp, .giveUp),
    ])
    func firstFailure(_ obstacle: LinkPlan.Obstacle, withFallback: LinkPlan.Step, without: LinkPlan.Step) {
        for (hasFallback, expected) in [(true, withFallback), (false, without)] {
            let plan = plan(hasFallback: hasFallback)
            _ = plan.begin(at: at(0))
            let step = plan.failed(.quic, obstacle, at: at(1), jitter: 0.5)
            #expect(step == expected, "fallback: \(hasFallback)")
        }
    }

    @Test func aNameThatIsMissingLeadsToAFallbackOfAnotherName() {
        let plan = plan(isSameHost: false)
        _ = plan.begin(at: at(0))
        #expect(plan.failed(.quic, .name, at: at(0), jitter: 0) == .dial(.tls, within: .seconds(10)))
    }

    @Test func aNetworkThatFailsAtOnceIsTriedAgainThreeTimes() {
        let plan = plan()
        var now = 0.0
        var step = plan.begin(at: at(now))
        for pause in [1.0, 2, 4] {
            #expect(step == .dial(.quic, within: .seconds(5)) || now > 4)
            step = plan.failed(.quic, .connection(.network), at: at(now), jitter: 0)
            #expect(step == .wait(until: at(now + pause)))
            now += pause
            step = plan.resume(at: at(now))
        }
        #expect(step == .dial(.quic, within: .seconds(3)))
        #expect(plan.failed(.quic, .connection(.network), at: at(now), jitter: 0) == .dial(.tls, within: .seconds(3)))
        #expect(plan.failed(.tls, .connection(.network), at: at(now), jitter: 0) == .giveUp)
    }

    @Test func aServerThatRefusesIsAskedAgainForAsLongAsThereIsTime() {
        let plan = plan()
        var now = at(0)
        var step = plan.begin(at: now)
        var pauses: [TimeAmount] = []
        while case .dial(let way, _) = step {
            #expect(way == .quic)
            guard case .wait(let until) = plan.failed(.quic, .connection(.refused), at: now, jitter: 0.5) else { break }
            pauses.append(until - now)
            now = until
            step = plan.resume(at: now)
        }
        #expect(pauses.prefix(4) == [.milliseconds(5), .milliseconds(10), .milliseconds(20), .milliseconds(40)])
        #expect(pauses.max() == .seconds(1))
        #expect(now > at(8) && now <= at(10))
        #expect(plan.resume(at: now) == .giveUp)
    }

    @Test func afterTheFallbackTLSIsTriedFirstForAWhile() {
        let plan = plan()
        var now = 0.0
        for avoidance in [30.0, 60, 120, 240, 480, 600, 600] {
            #expect(plan.begin(at: at(now)) == .dial(.quic, within: .seconds(5)))
            _ = plan.failed(.quic, .connection(.unanswered), at: at(now + 5), jitter: 0)
            plan.opened(.tls, at: at(now + 5))
            #expect(plan.begin(at: at(now + 5 + avoidance - 1)) == .dial(.tls, within: .seconds(10)))
            // TLS alone shows nothing about QUIC.
            plan.opened(.tls, at: at(now + 5 + avoidance - 1))
            now += 5 + avoidance
        }
        _ = plan.begin(at: at(now))
        plan.opened(.quic, at: at(now))
        _ = plan.begin(at: at(now))
        _ = plan.failed(.quic, .connection(.unanswered), at: at(now + 5), jitter: 0)
        plan.opened(.tls, at: at(now + 5))
        #expect(plan.begin(at: at(now + 36)) == .dial(.quic, within: .seconds(5)))
    }

    @Test func whereTLSFailsInItsTurnQUICIsTried() {
        let plan = plan()
        _ = plan.begin(at: at(0))
        _ = plan.failed(.quic, .connection(.unanswered), at: at(5), jitter: 0)
        plan.opened(.tls, at: at(5))
        #expect(plan.begin(at: at(6)) == .dial(.tls, within: .seconds(10)))
        #expect(plan.failed(.tls, .connection(.network), at: at(7), jitter: 0) == .dial(.quic, within: .seconds(5)))
        #expect(plan.failed(.quic, .connection(.network), at: at(8), jitter: 0) == .giveUp)
    }

    @Test func aReportThatFitsNothingEndsTheRound() {
        let plan = plan()
        #expect(plan.failed(.quic, .connection(.network), at: at(0), jitter: 0) == .giveUp)
        #expect(plan.resume(at: at(0)) == .giveUp)
        _ = plan.begin(at: at(0))
        #expect(plan.failed(.tls, .connection(.network), at: at(0), jitter: 0) == .giveUp)
    }

    @Test func aShortBudgetLeavesTimeForTheFallback() {
        let plan = Planned(
            LinkPlan.Rules(hasFallback: true, isSameHost: true, handshakeTimeout: .seconds(5), budget: .seconds(3)))
        #expect(plan.begin(at: at(0)) == .dial(.quic, within: .seconds(2)))
        #expect(plan.failed(.quic, .connection(.unanswered), at: at(2), jitter: 0) == .dial(.tls, within: .seconds(1)))
    }

    // MARK: - Any order of events

    /// Plays random outcomes against the plan, and checks what has to hold for all of them.
    @Test(arguments: 0..<200) func anyOutcomes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let hasFallback = Bool.random(using: &random)
        let rules = LinkPlan.Rules(
            hasFallback: hasFallback, isSameHost: .random(using: &random), handshakeTimeout: .seconds(5),
            budget: .seconds(Int.random(in: 1...20, using: &random)))
        let plan = Planned(rules)
        var now = at(1)
        for _ in 0..<20 {
            let startedAt = now
            var obstacles: [LinkPlan.Obstacle] = []
            var step = plan.begin(at: now)
            var steps = 0
            round: while true {
                steps += 1
                #expect(steps < 200, "the round does not end")
                switch step {
                case .giveUp: break round
                case .wait(let until):
                    #expect(until >= now && until <= startedAt + TimeAmount(rules.budget))
                    now = until
                    step = plan.resume(at: now)
                case .dial(let way, let patience):
                    #expect(patience > .zero)
                    #expect(now + TimeAmount(patience) <= startedAt + TimeAmount(rules.budget))
                    #expect(way == .quic || hasFallback)
                    // Neither a wrong certificate nor a busy server is a reason for another way.
                    #expect(!obstacles.contains { $0 == .connection(.certificate) || $0 == .connection(.other) })
                    if way == .tls { #expect(obstacles.last != .connection(.refused)) }
                    now = now + TimeAmount(patience * Double.random(in: 0...1, using: &random))
                    if Int.random(in: 0..<6, using: &random) == 0 {
                        plan.opened(way, at: now)
                        break round
                    }
                    let obstacle =
                        Int.random(in: 0..<8, using: &random) == 0
                        ? LinkPlan.Obstacle.name
                        : .connection(ConnectFailure.allCases.randomElement(using: &random) ?? .network)
                    obstacles.append(obstacle)
                    step = plan.failed(way, obstacle, at: now, jitter: .random(in: 0...1, using: &random))
                }
            }
            #expect(now <= startedAt + TimeAmount(rules.budget))
            now = now + .seconds(.random(in: 0...700, using: &random))
        }
    }
}

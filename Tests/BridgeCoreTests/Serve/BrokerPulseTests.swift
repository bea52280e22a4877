import NIOCore
import Testing

@testable import BridgeCore

@Suite struct BrokerPulseTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let moment = BrokerPulse.moment

    private static func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }

    private static func pulse(of sessions: Int) -> BrokerPulse {
        var pulse = BrokerPulse()
        for _ in 0..<sessions { pulse.joined() }
        return pulse
    }

    /// What the sessions that end at these times, in milliseconds, come to hear, of so many that live.
    private static func verdicts(_ ends: [Int64], of sessions: Int) -> [BrokerPulse.Verdict] {
        var pulse = pulse(of: sessions)
        var verdicts: [BrokerPulse.Verdict?] = ends.map { _ in nil }
        var waiting: [(index: Int, until: NIODeadline, wave: Int)] = []
        func judge(_ verdict: BrokerPulse.Verdict, _ index: Int) {
            if case .wait(let until, let wave) = verdict {
                waiting.append((index, until, wave))
            } else {
                verdicts[index] = verdict
            }
        }
        func ask(before now: NIODeadline) {
            while let next = waiting.indices.min(by: { waiting[$0].until < waiting[$1].until }),
                waiting[next].until < now
            {
                let one = waiting.remove(at: next)
                judge(pulse.judge(one.wave, at: one.until), one.index)
            }
        }
        for (index, end) in ends.enumerated() {
            ask(before: at(end))
            judge(pulse.ended(at: at(end)), index)
        }
        ask(before: .distantFuture)
        #expect(waiting.isEmpty)
        #expect(pulse.isIdle == (sessions == ends.count))
        return verdicts.map { $0 ?? .look }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var sessions: Int
        var ends: [Int64]
        var expected: [BrokerPulse.Verdict]
        var testDescription: String { "\(sessions) sessions, ends at \(ends)" }
    }

    @Test(arguments: [
        // Nobody else can tell.
        Case(sessions: 1, ends: [0], expected: [.look]),
        // Others live on.
        Case(sessions: 2, ends: [0], expected: [.ownEnd]),
        Case(sessions: 3, ends: [0, 10], expected: [.ownEnd, .ownEnd]),
        Case(sessions: 1_000, ends: Array(0..<500), expected: Array(repeating: .ownEnd, count: 500)),
        // All in one moment.
        Case(sessions: 2, ends: [0, 0], expected: [.brokerGone, .brokerGone]),
        Case(sessions: 2, ends: [0, 24], expected: [.brokerGone, .brokerGone]),
        Case(sessions: 4, ends: [0, 20, 40, 60], expected: Array(repeating: .brokerGone, count: 4)),
        // A broker with very many takes its time, and makes no pause.
        Case(sessions: 400, ends: (0..<400).map { $0 * 2 }, expected: Array(repeating: .brokerGone, count: 400)),
        // One after the other: the last one was the only one.
        Case(sessions: 2, ends: [0, 30], expected: [.ownEnd, .look]),
        Case(sessions: 3, ends: [0, 30, 40], expected: [.ownEnd, .brokerGone, .brokerGone]),
    ])
    func verdict(_ test: Case) {
        #expect(Self.verdicts(test.ends, of: test.sessions) == test.expected)
    }

    /// Devices that move to another gateway end for as long as they please, and nobody waits for all of them.
    @Test func aWaveIsJudgedInTheEnd() {
        var pulse = Self.pulse(of: 1_000)
        guard case .wait(let until, let wave) = pulse.ended(at: Self.at(0)) else {
            Issue.record("it did not wait")
            return
        }
        #expect(until == Self.start + Self.moment)
        for time in stride(from: Int64(20), to: 1_000, by: 20) { _ = pulse.ended(at: Self.at(time)) }
        #expect(pulse.judge(wave, at: until) == .wait(until: Self.at(980) + .milliseconds(20), wave: wave))
        #expect(pulse.judge(wave, at: Self.start + BrokerPulse.patience) == .ownEnd)
    }

    /// A client that leaves says nothing of the broker.
    @Test func clientsThatLeaveDoNotCount() {
        var pulse = Self.pulse(of: 3)
        pulse.left()
        pulse.left()
        #expect(pulse.ended(at: Self.start) == .look)
        #expect(pulse.isIdle)
    }

    /// Whom the broker tells why has nothing to ask, and is a witness to the others.
    @Test func anEndThatIsExplainedCounts() {
        var pulse = Self.pulse(of: 2)
        pulse.explained(at: Self.start)
        #expect(pulse.ended(at: Self.at(5)) == .brokerGone)
        var other = Self.pulse(of: 2)
        guard case .wait(_, let wave) = other.ended(at: Self.start) else {
            Issue.record("it did not wait")
            return
        }
        other.explained(at: Self.at(5))
        #expect(other.judge(wave, at: Self.at(25)) == .brokerGone)
    }

    /// Sessions that begin anew are not those that ended, and old waves leave nothing behind.
    @Test func nothingIsKept() {
        var pulse = Self.pulse(of: 1)
        var waves: Set<Int> = []
        for round in 0..<100 {
            pulse.joined()
            let now = Self.at(Int64(round) * 100)
            guard case .wait(let until, let wave) = pulse.ended(at: now) else {
                Issue.record("it did not wait")
                return
            }
            waves.insert(wave)
            // Some have ended otherwise meanwhile.
            if round.isMultiple(of: 2) {
                pulse.forget(wave)
            } else {
                #expect(pulse.judge(wave, at: until) == .ownEnd)
            }
        }
        #expect(waves.count == 100)
        #expect(!pulse.isIdle)
        pulse.left()
        #expect(pulse.isIdle)
        #expect(pulse.judge(3, at: .distantFuture) == .ownEnd)
    }
}

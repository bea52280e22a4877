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

    struct Case: Sendable, CustomTestStringConvertible {
        var sessions: Int
        /// When sessions end, in milliseconds.
        var ends: [Int64]
        /// When the broker stops accepting connections; `nil` if it does not go away.
        var goneFrom: Int64?
        /// A time in which the program does not run. At its end, timers fire before ends are read.
        var stall: Range<Int64>?
        /// How many of the ends, counted from the first, the broker chose. The others end because the broker is gone.
        var own: Int
        var looks: Int

        var testDescription: String {
            "\(sessions) sessions, \(ends.count) ends at \(ends.prefix(6)), gone from \(goneFrom.map(String.init) ?? "-")"
                + (stall.map { ", stall \($0)" } ?? "")
        }

        func after(_ time: Int64) -> Int64 {
            if let stall, stall.contains(time) { stall.upperBound } else { time }
        }
    }

    /// Runs the events of a case in the order of their times. Timers come before ends of the same time.
    private struct Run {
        enum Event {
            case ask(session: Int, wave: Int)
            case answer(session: Int, wave: Int, isThere: Bool)
            case end(session: Int)
        }

        let test: Case
        var pulse: BrokerPulse
        var events: [(at: Int64, event: Event)] = []
        var verdicts: [Bool?]
        var looks = 0

        init(_ test: Case) {
            self.test = test
            self.pulse = BrokerPulseTests.pulse(of: test.sessions)
            self.verdicts = test.ends.map { _ in nil }
            for (index, end) in test.ends.enumerated() { add(.end(session: index), at: end) }
        }

        mutating func add(_ event: Event, at time: Int64) { events.append((test.after(time), event)) }

        private static func rank(_ event: Event) -> Int { if case .end = event { 1 } else { 0 } }

        mutating func run() {
            while let next = events.indices.min(by: {
                (events[$0].at, Self.rank(events[$0].event)) < (events[$1].at, Self.rank(events[$1].event))
            }) {
                let (time, event) = events.remove(at: next)
                let now = BrokerPulseTests.at(time)
                switch event {
                case .end(let session): follow(pulse.ended(at: now), session, time)
                case .ask(let session, let wave): follow(pulse.judge(wave, at: now), session, time)
                case .answer(let session, let wave, let isThere):
                    pulse.looked(wave, isThere: isThere, at: now)
                    follow(pulse.judge(wave, at: now), session, time)
                }
            }
        }

        private mutating func follow(_ verdict: BrokerPulse.Verdict, _ session: Int, _ time: Int64) {
            switch verdict {
            case .ownEnd: verdicts[session] = true
            case .brokerGone: verdicts[session] = false
            case .wait(let until, let wave):
                add(.ask(session: session, wave: wave), at: (until - BrokerPulseTests.start).nanoseconds / 1_000_000)
            case .look(let wave):
                looks += 1
                let isThere = test.goneFrom.map { time < $0 } ?? true
                add(.answer(session: session, wave: wave, isThere: isThere), at: time + (isThere ? 25 : 1))
            }
        }
    }

    @Test(arguments: [
        // There are no other sessions to compare with.
        Case(sessions: 1, ends: [0], own: 1, looks: 1),
        Case(sessions: 1, ends: [0], goneFrom: 0, own: 0, looks: 1),
        // Other sessions live on.
        Case(sessions: 2, ends: [0], own: 1, looks: 0),
        Case(sessions: 5, ends: [0, 1_100, 2_200, 3_300], own: 4, looks: 0),
        // Several ends at once prove nothing, whether other sessions live on or not.
        Case(sessions: 3, ends: [0, 10], own: 2, looks: 1),
        Case(sessions: 3, ends: [0, 10], goneFrom: 0, own: 0, looks: 1),
        Case(sessions: 2, ends: [0, 0], own: 2, looks: 1),
        Case(sessions: 3, ends: [0, 0, 1], own: 3, looks: 1),
        Case(sessions: 2, ends: [0, 0], goneFrom: 0, own: 0, looks: 1),
        Case(sessions: 2, ends: [0, 24], goneFrom: 0, own: 0, looks: 1),
        Case(sessions: 1_000, ends: Array(0..<500), own: 500, looks: 1),
        Case(sessions: 400, ends: (0..<400).map { $0 * 2 }, goneFrom: 0, own: 0, looks: 1),
        // The broker is unreachable and ends its sessions slowly: only the first end looks single.
        Case(sessions: 20, ends: (0..<10).map { $0 * 30 }, goneFrom: 0, own: 1, looks: 1),
        Case(sessions: 20, ends: (0..<20).map { $0 * 100 }, goneFrom: 0, own: 1, looks: 2),
        Case(sessions: 2, ends: [0, 30], goneFrom: 0, own: 1, looks: 1),
        // If the broker ends sessions one by one, not every end causes a look.
        Case(sessions: 200, ends: (0..<100).map { $0 * 30 }, own: 100, looks: 3),
        // The broker ends some sessions first, and then goes away.
        Case(sessions: 50, ends: [0, 0] + (0..<40).map { 300 + $0 }, goneFrom: 300, own: 2, looks: 2),
        // The program is held up, so that timers fire before it has read the other ends.
        Case(sessions: 6, ends: [0, 30, 31, 32], goneFrom: 0, stall: 5..<205, own: 0, looks: 1),
        Case(sessions: 6, ends: [0, 3, 120, 121], goneFrom: 0, stall: 10..<110, own: 0, looks: 1),
        Case(sessions: 6, ends: [0], stall: 5..<205, own: 1, looks: 0),
        Case(sessions: 6, ends: [0, 210], goneFrom: 0, stall: 5..<205, own: 0, looks: 1),
    ])
    func verdict(_ test: Case) {
        var run = Run(test)
        run.run()
        let expected = test.ends.indices.map { $0 < test.own }
        #expect(run.verdicts == expected)
        #expect(run.looks == test.looks)
        #expect(run.pulse.isIdle == (test.sessions == test.ends.count))
    }

    /// While devices move to another gateway, sessions may keep ending for long. The verdict does not wait for all.
    @Test func aWaveIsJudgedInTheEnd() {
        var pulse = Self.pulse(of: 1_000)
        guard case .wait(let until, let wave) = pulse.ended(at: Self.at(0)) else {
            Issue.record("the verdict was not to wait")
            return
        }
        #expect(until == Self.start + Self.moment)
        for time in stride(from: Int64(20), to: 1_000, by: 20) { _ = pulse.ended(at: Self.at(time)) }
        #expect(pulse.judge(wave, at: until) == .wait(until: Self.at(980) + .milliseconds(20), wave: wave))
        #expect(pulse.judge(wave, at: Self.start + BrokerPulse.patience) == .look(wave: wave))
    }

    /// Even a program that is held up all the time reaches a verdict.
    @Test func aWaveIsNotPutOffForEver() {
        var pulse = Self.pulse(of: 3)
        guard case .wait(var until, let wave) = pulse.ended(at: Self.start) else {
            Issue.record("the verdict was not to wait")
            return
        }
        for _ in 0..<BrokerPulse.delays {
            let late = until + .milliseconds(100)
            #expect(pulse.judge(wave, at: late) == .wait(until: late + Self.moment, wave: wave))
            until = late + Self.moment
        }
        #expect(pulse.judge(wave, at: until + .milliseconds(100)) == .ownEnd)
    }

    /// No session waits forever for a look whose answer never comes.
    @Test func aLookThatIsLostIsNotWaitedFor() {
        var pulse = Self.pulse(of: 3)
        guard case .wait(let until, let wave) = pulse.ended(at: Self.start) else {
            Issue.record("the verdict was not to wait")
            return
        }
        _ = pulse.ended(at: Self.start)
        #expect(pulse.judge(wave, at: until) == .look(wave: wave))
        #expect(pulse.judge(wave, at: until) == .wait(until: until + Self.moment, wave: wave))
        let end = until + BrokerPulse.lookLimit
        #expect(pulse.judge(wave, at: end) == .brokerGone)
        // An answer that comes too late, or for another wave, changes nothing.
        pulse.looked(wave, isThere: true, at: end)
        pulse.looked(wave + 1, isThere: true, at: end)
        #expect(pulse.judge(wave, at: end) == .brokerGone)
        pulse.left()
        #expect(pulse.isIdle)
    }

    /// Once the broker is back, the earlier look does not count any more.
    @Test func aBrokerThatIsBackIsJudgedAnew() {
        var pulse = Self.pulse(of: 3)
        for _ in 0..<2 { _ = pulse.ended(at: Self.start) }
        guard case .look(let wave) = pulse.judge(1, at: Self.at(25)) else {
            Issue.record("the verdict was not to look")
            return
        }
        pulse.looked(wave, isThere: false, at: Self.at(26))
        for _ in 0..<2 { #expect(pulse.judge(wave, at: Self.at(27)) == .brokerGone) }
        pulse.joined()
        pulse.joined()
        guard case .wait = pulse.ended(at: Self.at(100)) else {
            Issue.record("the verdict was not to wait")
            return
        }
    }

    /// A client that leaves says nothing about the broker.
    @Test func clientsThatLeaveDoNotCount() {
        var pulse = Self.pulse(of: 3)
        pulse.left()
        pulse.left()
        guard case .look(let wave) = pulse.ended(at: Self.start) else {
            Issue.record("the verdict was not to look")
            return
        }
        #expect(!pulse.isIdle)
        pulse.looked(wave, isThere: true, at: Self.at(25))
        #expect(pulse.judge(wave, at: Self.at(25)) == .ownEnd)
        #expect(pulse.isIdle)
    }

    /// An end that the broker explains needs no verdict, but counts as one of several.
    @Test func anEndThatIsExplainedCounts() {
        var pulse = Self.pulse(of: 2)
        pulse.explained(at: Self.start)
        guard case .look = pulse.ended(at: Self.at(5)) else {
            Issue.record("the verdict was not to look")
            return
        }
        var other = Self.pulse(of: 3)
        guard case .wait(_, let wave) = other.ended(at: Self.start) else {
            Issue.record("the verdict was not to wait")
            return
        }
        other.explained(at: Self.at(5))
        #expect(other.judge(wave, at: Self.at(30)) == .look(wave: wave))
    }

    /// New sessions are not confused with ended ones, and old waves leave nothing behind.
    @Test func nothingIsKept() {
        var pulse = Self.pulse(of: 1)
        var waves: Set<Int> = []
        for round in 0..<100 {
            pulse.joined()
            let now = Self.at(Int64(round) * 2_000)
            guard case .wait(let until, let wave) = pulse.ended(at: now) else {
                Issue.record("the verdict was not to wait")
                return
            }
            waves.insert(wave)
            // Some sessions do not need the verdict any more.
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

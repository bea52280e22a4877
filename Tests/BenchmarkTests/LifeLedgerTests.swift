import BenchmarkEndurance
import Testing

/// Each kind of fault of a connection and its will is found, and what is allowed is none.
struct LifeLedgerTests {
    enum Event: Sendable {
        case connecting
        case began
        case online
        case ended(LifeLedger.Ending)
        case refused
        case will
        case wait(Double)
        case check
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// Device 1 speaks 5.0 and has a will delay of three seconds; 5 has none.
        var device = 5
        var group = Group.connection
        let events: [Event]
        var trouble: Trouble.Kind?
        let faults: [Fault.Kind]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "a will of a connection whose acceptance the device has not seen", events: [.connecting, .will],
            faults: [.willWrong]),
        Case(name: "the same in an outage", events: [.connecting, .will], trouble: .outage, faults: []),
        Case(name: "a will of a connection that was never made", events: [.will], trouble: .outage, faults: [.unknown]),
        Case(
            name: "a second will long after the end",
            events: [.began, .ended(.vanished), .will, .wait(700), .check, .will], faults: [.missing, .willWrong]),
        Case(
            name: "not restored after an outage", device: 4, events: [.began, .will, .wait(60), .check, .wait(60)],
            trouble: .outage, faults: [.stateWrong]),
        Case(
            name: "not restored, without a bridge", device: 4, group: .direct,
            events: [.began, .will, .wait(60), .check, .wait(60)], trouble: .outage, faults: []),
        Case(
            name: "restored after an outage", device: 4,
            events: [.began, .will, .wait(20), .online, .wait(100)],
            trouble: .outage, faults: []),
        Case(
            name: "vanished after an outage before it was restored", device: 4,
            events: [.began, .will, .wait(20), .ended(.vanished), .will, .wait(60)], trouble: .outage, faults: []),
        Case(
            name: "away for too long", events: [.began, .ended(.disconnect), .wait(121), .check, .wait(9)],
            faults: [.missing]),
        Case(
            name: "away", events: [.began, .ended(.disconnect), .wait(119), .connecting, .began, .wait(90)], faults: []),
        Case(name: "never accepted", events: [.connecting, .wait(121)], faults: [.missing]),
        Case(
            name: "taken over, 3.1.1 with a clean session", device: 4, events: [.began, .ended(.takenOver), .wait(33)],
            faults: [.willMissing]),
        Case(name: "goodbye", events: [.began, .ended(.disconnect)], faults: []),
        Case(name: "goodbye and a will", events: [.began, .ended(.disconnect), .will], faults: [.willWrong]),
        Case(name: "vanished and a will", events: [.began, .ended(.vanished), .will], faults: []),
        Case(name: "vanished and two wills", events: [.began, .ended(.vanished), .will, .will], faults: [.willWrong]),
        Case(name: "vanished without a will", events: [.began, .ended(.vanished), .wait(15)], faults: [.willMissing]),
        Case(
            name: "its will comes too late", events: [.began, .ended(.vanished), .wait(15), .check, .wait(5), .will],
            faults: [.willMissing, .willLate]),
        Case(name: "its will may still come", events: [.began, .ended(.vanished), .wait(9)], faults: []),
        Case(
            name: "its delayed will may still come", device: 1, events: [.began, .ended(.vanished), .wait(12)],
            faults: []),
        Case(
            name: "vanished without a will in an outage", events: [.began, .ended(.vanished), .wait(15)],
            trouble: .outage, faults: []),
        Case(
            name: "vanished without a bridge; its reset may be lost", group: .direct,
            events: [.began, .ended(.vanished), .wait(31)], faults: []),
        Case(
            name: "vanished without a bridge and without a will", group: .direct,
            events: [.began, .ended(.vanished), .wait(33)], faults: [.willMissing]),
        Case(
            name: "silent without a bridge, after the broker has missed it in an outage", group: .direct,
            events: [.began, .will, .wait(300), .ended(.silent), .wait(60)], trouble: .outage, faults: []),
        Case(
            name: "silent behind a bridge, the same", device: 4,
            events: [.began, .will, .wait(20), .online, .wait(280), .ended(.silent), .wait(60)], trouble: .outage,
            faults: [.willMissing]),
        Case(name: "silent and a will", events: [.began, .ended(.silent), .wait(22), .will], faults: []),
        Case(name: "silent without a will", events: [.began, .ended(.silent), .wait(33)], faults: [.willMissing]),
        Case(
            name: "the will of a silent device may still come", events: [.began, .ended(.silent), .wait(31)], faults: []
        ),
        Case(name: "a will of a device that lives", events: [.began, .will], faults: [.willWrong]),
        Case(name: "the same in an outage", device: 4, events: [.began, .will], trouble: .outage, faults: []),
        Case(
            name: "the same in an outage, if the bridge has the broker wait", events: [.began, .will],
            trouble: .outage, faults: [.willWrong]),
        Case(
            name: "the same in a restart of the broker", events: [.began, .will], trouble: .brokerRestart, faults: []),
        Case(name: "the same with a reload", events: [.began, .will], trouble: .bridgeReload, faults: [.willWrong]),
        Case(name: "taken over", events: [.began, .ended(.takenOver), .wait(15)], faults: []),
        Case(name: "closed in calm", events: [.began, .ended(.closed), .will], faults: [.closed]),
        Case(name: "closed in an outage", events: [.began, .ended(.closed)], trouble: .outage, faults: [.closed]),
        Case(name: "closed by a restart", events: [.began, .ended(.closed)], trouble: .bridgeRestart, faults: []),
        Case(name: "refused in calm", events: [.refused], faults: [.refused]),
        Case(name: "refused in an outage", events: [.refused], trouble: .outage, faults: []),
        Case(
            name: "vanished without a will long after an outage",
            events: [.began, .wait(300), .ended(.vanished), .wait(15)], trouble: .outage, faults: [.willMissing]),
        Case(
            name: "a will of a device that lives long after an outage", events: [.began, .wait(300), .will],
            trouble: .outage, faults: [.willWrong]),
        Case(
            name: "a will in an outage and one at the end", device: 4,
            events: [.began, .will, .wait(300), .ended(.vanished), .will], trouble: .outage, faults: []),
    ]

    @Test(arguments: cases)
    func judges(_ example: Case) {
        let group = example.group
        var ledger = LifeLedger { _ in group }
        var troubles = TroubleLog()
        if let trouble = example.trouble { _ = troubles.begin(Trouble(trouble, begin: 0, end: 1)) }
        var time = 0.0
        for event in example.events {
            switch event {
            case .connecting: ledger.connecting(example.device, 1, at: time)
            case .online: ledger.stateArrived(example.device, 1)
            case .began: ledger.began(example.device, 1, at: time)
            case .ended(let ending): ledger.ended(example.device, 1, ending, at: time, troubles)
            case .refused: ledger.refused(example.device, 1, at: time, troubles)
            case .will: ledger.willArrived(example.device, 1, at: time, troubles)
            case .wait(let seconds): time += seconds
            case .check: ledger.check(at: time, troubles)
            }
        }
        ledger.check(at: time, troubles)
        #expect(ledger.faults.all.map(\.kind) == example.faults)
    }

    @Test("Everything that is excused is counted by its reason")
    func excuses() {
        var ledger = LifeLedger { _ in .mux }
        var troubles = TroubleLog()
        _ = troubles.begin(Trouble(.bridgeKill, begin: 0, end: 1))
        for device in 0..<4 { ledger.began(device, 1, at: 0) }
        ledger.willArrived(0, 1, at: 1, troubles)
        ledger.ended(1, 1, .closed, at: 1, troubles)
        ledger.ended(2, 1, .vanished, at: 1, troubles)
        ledger.ended(3, 1, .disconnect, at: 1, troubles)
        ledger.willArrived(3, 1, at: 2, troubles)
        ledger.refused(1, 1, at: 3, troubles)
        ledger.stateArrived(0, 1)
        ledger.close(at: 30, troubles)
        #expect(ledger.faults.isEmpty)
        #expect(ledger.counts[.mux]?.restored == 1)
        let reasons = ledger.excused.counts.map { "\($0.key.what), \($0.key.reason): \($0.value)" }.sorted()
        #expect(
            reasons == [
                "connection closed, bridge kill: 1", "no will, closed: 1", "no will, missing or late before: 1",
                "not accepted, bridge kill: 1", "will missing or late, bridge kill: 1", "will not due, bridge kill: 1",
                "will of a device that lives, bridge kill: 1",
            ])
    }
}

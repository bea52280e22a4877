import BenchmarkEndurance
import Testing

/// Each kind of fault of a message is found, and what is allowed is none.
struct MessageLedgerTests {
    /// An event of a stream. Times are counted by the position in the list: one event per second.
    enum Event: Sendable {
        case sent(Int)
        case resent(Int)
        case acknowledged(Int)
        case abandoned(Int)
        case arrived(Int)
        case arrivedMarked(Int, connection: Int)
        case lost
        /// A look at time 200, when everything else is over.
        case check
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var purpose = StreamID.Purpose.up1
        /// Device 0 speaks 3.1.1 with clean session; 1 speaks 5.0.
        var device = 1
        let events: [Event]
        var trouble: Trouble.Kind?
        let faults: [Fault.Kind]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "once", events: [.sent(0), .arrived(0), .acknowledged(0)], faults: []),
        Case(name: "QoS 1 acknowledged and lost", events: [.sent(0), .acknowledged(0)], faults: [.lost]),
        Case(
            name: "QoS 1 acknowledged and lost in an outage", events: [.sent(0), .acknowledged(0)], trouble: .outage,
            faults: [.lost]),
        Case(
            name: "QoS 2 acknowledged and lost", purpose: .up2, events: [.sent(0), .acknowledged(0)], faults: [.lost]),
        Case(name: "never acknowledged", events: [.sent(0), .arrived(0)], faults: [.unacknowledged]),
        Case(name: "given up", events: [.sent(0), .abandoned(0)], faults: []),
        Case(name: "given up, and arrived", events: [.sent(0), .abandoned(0), .arrived(0)], faults: []),
        Case(
            name: "QoS 1 twice", events: [.sent(0), .arrived(0), .arrived(0), .acknowledged(0)], faults: [.doubled]),
        Case(
            name: "QoS 1 twice after it was acknowledged",
            events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)],
            faults: [.doubled]),
        Case(
            name: "QoS 1 twice, sent twice",
            events: [.sent(0), .arrived(0), .resent(0), .arrived(0), .acknowledged(0)], faults: []),
        Case(
            name: "QoS 1 three times, sent twice",
            events: [.sent(0), .arrived(0), .resent(0), .arrived(0), .arrived(0), .acknowledged(0)], faults: [.doubled]),
        Case(
            name: "QoS 1 twice with DUP, on another connection",
            events: [.sent(0), .arrived(0), .acknowledged(0), .arrivedMarked(0, connection: 2)], faults: []),
        Case(
            name: "QoS 1 twice with DUP, on the same connection",
            events: [.sent(0), .arrived(0), .acknowledged(0), .arrivedMarked(0, connection: 1)], faults: [.doubled]),
        Case(
            name: "stalled without an acknowledgement", events: [.sent(0), .sent(1), .arrived(0), .check],
            faults: [.stalled, .unacknowledged, .unacknowledged]),
        Case(
            name: "acknowledged and stalled", purpose: .down2, events: [.sent(0), .acknowledged(0), .check],
            faults: [.stalled, .lost]),
        Case(
            name: "stalled after an outage", events: [.sent(0), .check], trouble: .outage,
            faults: [.stalled, .unacknowledged]),
        Case(name: "given up, not stalled", events: [.sent(0), .abandoned(0), .check], faults: []),
        Case(name: "QoS 0 does not stall", purpose: .up0, events: [.sent(0), .check], trouble: .outage, faults: []),
        Case(
            name: "QoS 1 twice in an outage", events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)],
            trouble: .outage, faults: []),
        Case(
            name: "QoS 1 twice because of a reload", events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)],
            trouble: .bridgeReload, faults: [.doubled]),
        Case(
            name: "QoS 2 twice, sent twice", purpose: .up2,
            events: [.sent(0), .arrived(0), .resent(0), .arrived(0), .acknowledged(0)], faults: [.doubled]),
        Case(
            name: "QoS 2 twice in an outage", purpose: .up2,
            events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)], trouble: .outage, faults: [.doubled]),
        Case(
            name: "QoS 2 twice in an outage, of a device whose session is forgotten", purpose: .up2, device: 0,
            events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)], trouble: .outage, faults: []),
        Case(
            name: "QoS 2 twice in a restart of the broker, of a device whose session the broker does not save",
            purpose: .up2, events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)], trouble: .brokerRestart,
            faults: []),
        Case(
            name: "QoS 2 twice in a restart of the broker, of a device whose session the broker saves",
            purpose: .up2, device: 3, events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)],
            trouble: .brokerRestart, faults: [.doubled]),
        Case(
            name: "QoS 2 twice in calm, of such a device", purpose: .up2, device: 0,
            events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)], faults: [.doubled]),
        Case(
            name: "a command with QoS 2 twice", purpose: .down2,
            events: [.sent(0), .acknowledged(0), .arrived(0), .arrivedMarked(0, connection: 2)], trouble: .bridgeKill,
            faults: [.doubled]),
        Case(
            name: "out of order",
            events: [.sent(0), .sent(1), .arrived(1), .arrived(0), .acknowledged(0), .acknowledged(1)],
            faults: [.outOfOrder]),
        Case(
            name: "QoS 0 out of order", purpose: .up0, events: [.sent(0), .sent(1), .arrived(1), .arrived(0)],
            faults: [.outOfOrder]),
        Case(name: "QoS 0 lost", purpose: .up0, events: [.sent(0)], faults: [.lost]),
        Case(name: "QoS 0 lost in an outage", purpose: .up0, events: [.sent(0)], trouble: .outage, faults: []),
        Case(
            name: "QoS 0 lost with garbage", purpose: .up0, events: [.sent(0)], trouble: .serveGarbage, faults: [.lost]),
        Case(name: "QoS 0 lost with the connection", purpose: .up0, events: [.sent(0), .lost], faults: []),
        Case(name: "never sent", events: [.arrived(0)], faults: [.unknown]),
    ]

    static func delivery(isMarked: Bool = false, connection: Int = 1) -> MessageLedger.Delivery {
        .init(isMarked: isMarked, packetID: 1, connection: connection)
    }

    @Test(arguments: cases)
    func judges(_ example: Case) {
        var ledger = MessageLedger { _ in .mux }
        var troubles = TroubleLog()
        if let trouble = example.trouble { _ = troubles.begin(Trouble(trouble, begin: 0, end: 1)) }
        let id = StreamID(device: example.device, purpose: example.purpose)
        ledger.setAvailable(example.device, true, at: 0)
        for (index, event) in example.events.enumerated() {
            let time = Double(index)
            switch event {
            case .sent(let number): ledger.sent(id, number, at: time)
            case .resent(let number): ledger.resent(id, number, at: time)
            case .acknowledged(let number): ledger.acknowledged(id, number, at: time)
            case .abandoned(let number): ledger.abandoned(id, number)
            case .arrived(let number): ledger.arrived(id, number, Self.delivery(), at: time, troubles)
            case .arrivedMarked(let number, let connection):
                ledger.arrived(id, number, Self.delivery(isMarked: true, connection: connection), at: time, troubles)
            case .check:
                // The second look finds nothing new.
                for moment in [200.0, 205] { ledger.check(at: moment, troubles) }
            case .lost: ledger.connectionLost(ofDevice: example.device, heard: time)
            }
        }
        ledger.close(at: 210, troubles)
        #expect(ledger.faults.all.map(\.kind) == example.faults)
    }

    @Test("A trouble of one group does not excuse another one, and not for long")
    func troubleHasLimits() {
        var log = TroubleLog()
        _ = log.begin(Trouble(.bridgeRestart, .mux, begin: 100, end: 110))
        #expect(log.excuse(.closed, .mux, from: 105, to: 105) != nil)
        #expect(log.excuse(.closed, .connection, from: 105, to: 105) == nil)
        #expect(log.excuse(.closed, .mux, from: 110 + Trouble.settling(.mux) + 1, to: 200) == nil)
        #expect(log.excuse(.closed, .mux, from: 0, to: 90) == nil)
    }

    @Test("What is settled is forgotten, and a late repetition is still found")
    func forgets() {
        var ledger = MessageLedger { _ in .connection }
        let id = StreamID(device: 1, purpose: .up2)
        for number in 0..<1000 {
            ledger.sent(id, number, at: 0)
            ledger.arrived(id, number, Self.delivery(), at: 0, TroubleLog())
            ledger.acknowledged(id, number, at: 0)
        }
        ledger.check(at: 1000, TroubleLog())
        #expect(ledger.remembered == 0)
        ledger.arrived(id, 7, Self.delivery(), at: 1001, TroubleLog())
        #expect(ledger.faults.all.map(\.kind) == [.doubled])
    }

    @Test("A late repetition with QoS 1 is excused only by what is going on then", arguments: [false, true])
    func lateRepetition(isMarked: Bool) {
        var ledger = MessageLedger { _ in .connection }
        var troubles = TroubleLog()
        let id = StreamID(device: 1, purpose: .up1)
        for number in 0..<2 {
            ledger.sent(id, number, at: 0)
            ledger.arrived(id, number, Self.delivery(), at: 0, troubles)
            ledger.acknowledged(id, number, at: 0)
        }
        _ = troubles.begin(Trouble(.outage, begin: 800, end: 810))
        ledger.check(at: 900, troubles)
        ledger.arrived(id, 0, Self.delivery(isMarked: isMarked, connection: 2), at: 815, troubles)
        #expect(ledger.faults.isEmpty)
        #expect(ledger.excused.total(.connection, "QoS 1 repeated") == 1)
        ledger.arrived(id, 1, Self.delivery(isMarked: isMarked, connection: 2), at: 900, troubles)
        #expect(ledger.faults.all.map(\.kind) == [.doubled])
    }

    @Test("A message does not stall while its device is away, nor in troubles; in calm it does")
    func stalls() {
        var ledger = MessageLedger { _ in .mux }
        var troubles = TroubleLog()
        let id = StreamID(device: 1, purpose: .down1)
        ledger.setAvailable(1, true, at: 0)
        ledger.sent(id, 0, at: 0)
        ledger.acknowledged(id, 0, at: 0)
        ledger.setAvailable(1, false, at: 10)
        ledger.check(at: 300, troubles)
        ledger.setAvailable(1, true, at: 300)
        _ = troubles.begin(Trouble(.outage, begin: 320, end: 400))
        ledger.check(at: 440, troubles)
        #expect(ledger.faults.isEmpty)
        // 17 s before the outage, and 44 s after it.
        ledger.check(at: 464, troubles)
        #expect(ledger.faults.all.map(\.kind) == [.stalled])
    }

    @Test("Everything that is excused is counted by its reason")
    func excuses() {
        var ledger = MessageLedger { _ in .mux }
        var troubles = TroubleLog()
        _ = troubles.begin(Trouble(.rebind, begin: 50, end: 50))
        let (zero, one) = (StreamID(device: 1, purpose: .up0), StreamID(device: 1, purpose: .up1))
        for (number, time) in [(0, 10.0), (1, 51)] { ledger.sent(zero, number, at: time) }
        ledger.abandoned(zero, 0)
        for number in 0..<2 { ledger.sent(one, number, at: 10) }
        ledger.abandoned(one, 0)
        ledger.resent(one, 1, at: 11)
        for _ in 0..<2 { ledger.arrived(one, 1, Self.delivery(), at: 12, troubles) }
        ledger.acknowledged(one, 1, at: 12)
        ledger.close(at: 100, troubles)
        #expect(ledger.faults.isEmpty)
        let reasons = ledger.excused.counts.map { "\($0.key.what), \($0.key.reason): \($0.value)" }.sorted()
        #expect(
            reasons == [
                "QoS 0 lost, rebind: 1", "QoS 0 lost, the connection ended: 1",
                "QoS 1 lost, given up with the session: 1",
                "QoS 1 repeated, sent again: 1",
            ])
    }

    @Test("A machine that stalls excuses what has happened meanwhile, and is told")
    func stalledMachine() {
        var log = TroubleLog()
        for tick in 0..<40 { log.tick(at: 100 + Double(tick) * 0.05) }
        #expect(log.all.isEmpty)
        _ = log.begin(Trouble(.bridgeReload, begin: 131.9))
        log.tick(at: 131.95)
        #expect(log.all.last == Trouble(.stall, begin: 101.95, end: 131.95))
        #expect(log.excuse(.closed, .mux, from: 133, to: 133)?.kind == .stall)
        #expect(log.excuse(.closed, .mux, from: 153, to: 153) == nil)
        #expect(abs(log.calm(.mux, from: 101.95, to: 161.95) - 10) < 0.001)
    }

    @Test("Calm is what is outside of all troubles that excuse something")
    func calm() {
        var log = TroubleLog()
        _ = log.begin(Trouble(.outage, begin: 103, end: 180))
        _ = log.begin(Trouble(.rebind, .mux, begin: 110, end: 110))
        _ = log.begin(Trouble(.bridgeReload, begin: 250, end: 250))
        _ = log.begin(Trouble(.serveRestart, .connection, begin: 303, end: 310))
        #expect(log.calm(.mux, from: 0, to: 400) == 300)
        #expect(log.calm(.connection, from: 0, to: 400) == 270)
        #expect(log.calm(.mux, from: 150, to: 210) == 10)
        _ = log.begin(Trouble(.outage, begin: 503))
        #expect(log.calm(.mux, from: 400, to: 900) == 100)
    }
}

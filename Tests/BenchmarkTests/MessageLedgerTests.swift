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
        case arrivedMarked(Int)
        case lost
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
            name: "QoS 1 twice with DUP", events: [.sent(0), .arrived(0), .acknowledged(0), .arrivedMarked(0)],
            faults: []),
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
            name: "QoS 2 twice in calm, of such a device", purpose: .up2, device: 0,
            events: [.sent(0), .arrived(0), .acknowledged(0), .arrived(0)], faults: [.doubled]),
        Case(
            name: "a command with QoS 2 twice", purpose: .down2,
            events: [.sent(0), .acknowledged(0), .arrived(0), .arrivedMarked(0)], trouble: .bridgeKill,
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

    static func delivery(isMarked: Bool = false) -> MessageLedger.Delivery {
        .init(isMarked: isMarked, packetID: 1, connection: 1)
    }

    @Test(arguments: cases)
    func judges(_ example: Case) {
        var ledger = MessageLedger { _ in .mux }
        var troubles = TroubleLog()
        if let trouble = example.trouble { _ = troubles.begin(Trouble(trouble, begin: 0, end: 1)) }
        let id = StreamID(device: example.device, purpose: example.purpose)
        for (index, event) in example.events.enumerated() {
            let time = Double(index)
            switch event {
            case .sent(let number): ledger.sent(id, number, at: time)
            case .resent(let number): ledger.resent(id, number)
            case .acknowledged(let number): ledger.acknowledged(id, number, at: time)
            case .abandoned(let number): ledger.abandoned(id, number)
            case .arrived(let number): ledger.arrived(id, number, Self.delivery(), at: time, troubles)
            case .arrivedMarked(let number):
                ledger.arrived(id, number, Self.delivery(isMarked: true), at: time, troubles)
            case .lost: ledger.connectionLost(ofDevice: example.device, heard: time)
            }
        }
        ledger.close(at: 100, troubles)
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
        ledger.forget(at: 1000)
        #expect(ledger.remembered == 0)
        ledger.arrived(id, 7, Self.delivery(), at: 1001, TroubleLog())
        #expect(ledger.faults.all.map(\.kind) == [.doubled])
    }
}

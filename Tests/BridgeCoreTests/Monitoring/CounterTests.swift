import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

@Suite struct MonitoringCounterTests {
    @Test func packetsCountByTypeQoSAndDirection() {
        let (one, two) = (TrafficCounters(), TrafficCounters())
        one.count(.up, .publish, flags: 0b0010, bytes: 10)
        one.count(.up, .publish, flags: 0b1011, bytes: 20)
        two.count(.up, .publish, flags: 0b0100, bytes: 40)
        two.count(.down, .puback, flags: 0b0010, bytes: 4)
        let totals = one.totals + two.totals
        #expect(totals[.up, .publish, 1] == .init(packets: 2, bytes: 30))
        #expect(totals[.up, .publish, 2] == .init(packets: 1, bytes: 40))
        #expect(totals[.up, .publish, 0] == .init() && totals[.down, .publish, 1] == .init())
        #expect(totals[.down, .puback] == .init(packets: 1, bytes: 4) && totals[.up, .puback] == .init())
        #expect(totals.messages(.up) == 3 && totals.messages(.down) == 0)
    }

    @Test func everyPacketTypeHasItsPlace() {
        let counters = TrafficCounters()
        for type in PacketType.allCases {
            for _ in 0..<type.rawValue { counters.count(.down, type, flags: 0, bytes: 2) }
        }
        for type in PacketType.allCases {
            #expect(counters.totals[.down, type].packets == UInt64(type.rawValue))
            #expect(counters.totals[.up, type].packets == 0)
        }
    }

    @Test func oneMessageOfADeviceIsMeasuredAtATime() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var meter = DeviceMeter()
        meter.state = .live
        #expect(!meter.awaits(0) && !meter.awaits(1))
        meter.messageCame(1, at: start)
        meter.messageCame(2, at: start + .milliseconds(5))
        #expect(meter.awaits(1) && !meter.awaits(2))
        #expect(meter.acknowledged(at: start + .milliseconds(20)) == 0.02)
        #expect(!meter.awaits(1))
        // The device repeats an identifier: the new message counts.
        meter.messageCame(3, at: start)
        meter.messageCame(3, at: start + .milliseconds(10))
        #expect(meter.acknowledged(at: start + .milliseconds(15)) == 0.005)
        // An answer that never comes does not end the measuring for good.
        meter.messageCame(4, at: start)
        meter.messageCame(5, at: start + .seconds(61))
        #expect(meter.awaits(5))
    }

    @Test func numbersAreNeverUsedTwice() {
        let ids = (0..<100).map { _ in DeviceMeter().id }
        #expect(ids == ids.sorted() && Set(ids).count == 100)
        #expect(MemoryLayout<DeviceMeter>.size <= 48)
    }

    @Test func numbersOfARestartedProgramAreOthers() {
        DeviceMeter.beginNumbers(at: 1_800_000_000)
        let old = DeviceMeter().id
        DeviceMeter.beginNumbers(at: 1_800_000_060)
        let new = DeviceMeter().id
        #expect(new > old + 60 * 16_000)
        // A clock that went back, or was never set, does not bring old numbers back.
        DeviceMeter.beginNumbers(at: 0)
        #expect(DeviceMeter().id > new)
        DeviceMeter.beginNumbers(at: 32_503_680_000)
        #expect(DeviceMeter().id < 1 << 53)
    }

    /// A message may come before CONNACK, whose time is measured then.
    @Test func aMessageDoesNotSpoilTheTimeOfCONNECT() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var meter = DeviceMeter()
        #expect(meter.connectTook(at: start) == nil)
        meter.connectCame(at: start)
        meter.messageCame(7, at: start + .milliseconds(300))
        #expect(meter.connectTook(at: start + .milliseconds(500)) == 0.5 && !meter.awaits(7))
    }

    @Test(arguments: [
        (SessionEnd.refusedByBroker(code: 5), ConnectOutcome.refusedByBrokerAuthorization),
        (.refusedByBroker(code: 0x88), .refusedByBrokerBusy), (.refusedByBroker(code: 3), .refusedByBrokerBusy),
        (.refusedByBroker(code: 2), .refusedByBrokerOther), (.brokerClosed, .refusedByBrokerOther),
        (.badCredentials, .refusedHereCredentials), (.overLimit("x"), .refusedHereLimit),
        (.uplinkUnreachable("x"), .unreachable), (.uplinkLost("x"), .unreachable), (.shutdown, .abandoned),
    ])
    func endsBeforeCONNACKHaveAnOutcome(end: SessionEnd, outcome: ConnectOutcome) {
        #expect(ConnectOutcome(end, isLate: false) == outcome)
    }

    @Test func anUnreachableBrokerIsATimeoutOnceTheTimeIsOver() {
        #expect(ConnectOutcome(.uplinkUnreachable("x"), isLate: true) == .timeout)
        #expect(ConnectOutcome(.predecessorStays, isLate: true) == .timeout)
        #expect(ConnectOutcome(.badCredentials, isLate: true) == .refusedHereCredentials)
    }

    @Test func countersOfLoopsAddUp() {
        var (one, two) = (SessionCounters(), SessionCounters())
        one.count(.accepted, seconds: 0.1)
        two.count(.accepted, seconds: 0.2)
        two.count(.unreachable, seconds: 3)
        two.count(HoldOutcome(.newLeg(isSessionPresent: true, resent: 2)))
        two.count(HoldOutcome(.holdExpired("x")))
        two.count(HoldOutcome(.takenOver))
        two.count(HoldOutcome(.removedByOperator))
        let sum = one + two
        #expect(sum.connects == [.accepted: 2, .unreachable: 1] && sum.connectTime.count == 2)
        #expect(sum.returns == [.sessionKept: 1, .expired: 1, .takenOver: 1, .ended: 1])
    }

    @Test func queriesMatch() {
        var query = DeviceQuery(clientID: "PUMP", limit: 0)
        #expect(query.bounded.limit == 1 && !query.isOpen)
        #expect(query.bounded.matches(state: .live, clientID: "north-Pump-7", address: "192.0.2.7:1"))
        #expect(!query.bounded.matches(state: .live, clientID: "valve", address: "192.0.2.7:1"))
        #expect(!query.bounded.matches(state: .live, clientID: "pum", address: "192.0.2.7:1"))
        #expect(query.bounded.matches(state: .live, clientID: "pupumppump", address: "192.0.2.7:1"))
        query = DeviceQuery(state: .held, address: "192.0.2.", limit: 5_000)
        #expect(query.bounded.limit == 1_000)
        #expect(query.matches(state: .held, clientID: "", address: "192.0.2.7:1"))
        #expect(!query.matches(state: .live, clientID: "", address: "192.0.2.7:1"))
        #expect(!query.matches(state: .held, clientID: "", address: "192.0.3.7:1"))
    }

    @Test func longTextsAreCut() {
        let short = String(repeating: "a", count: DeviceSummary.longestText)
        #expect(DeviceSummary.shown(short) == short)
        let long = DeviceSummary.shown(String(repeating: "ä", count: 30_000))
        #expect(long.utf8.count <= DeviceSummary.longestText && long.hasPrefix("ää") && long.hasSuffix("ä…"))
    }
}

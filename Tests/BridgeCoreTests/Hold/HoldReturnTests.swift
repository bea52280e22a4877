import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// The new leg: CONNECT, what the broker may answer, and what it no longer allows.
@Suite struct HoldReturnTests {
    @Test(arguments: [(MQTTVersion.v3_1, true), (.v3_1_1, true), (.v3_1_1, false), (.v5_0, true), (.v5_0, false)])
    func connectIsRepeated(_ version: MQTTVersion, _ isClean: Bool) throws {
        var bench = try HoldBench.connected(version) {
            $0.cleanStart = isClean
            $0.username = "u"
            $0.password = ByteBuffer(string: "p")
            $0.keepAlive = 9
            $0.will = Will(topic: "gone")
            if version == .v5_0 { $0.properties = [.topicAliasMaximum(5), .receiveMaximum(3)] }
        }
        try bench.lose()
        let outcome = try bench.ready()
        guard case .connect(let connect)? = outcome.up.first else {
            Issue.record("no CONNECT")
            return
        }
        #expect(connect.cleanStart == (version == .v5_0 ? false : isClean))
        #expect(connect.clientID == "dev" && connect.username == "u" && connect.password == ByteBuffer(string: "p"))
        var will = Will(topic: "gone")
        if version == .v5_0 { will.properties.willDelayInterval = 300 }
        #expect(connect.keepAlive == (version == .v5_0 ? 11 : 9) && connect.will == will)
        #expect(connect.properties.topicAliasMaximum == nil)
        #expect(connect.properties.receiveMaximum == (version == .v5_0 ? 3 : nil))
        #expect(outcome.actions.started == [.uplinkConnect])
    }

    @Test func theAssignedClientIDIsUsed() throws {
        var bench = try HoldBench.connected(
            .v5_0, connack: Connack(properties: [.assignedClientIdentifier("given")])
        ) { $0.clientID = "" }
        try bench.lose()
        guard case .connect(let connect)? = try bench.ready().up.first else { return }
        #expect(connect.clientID == "given")
    }

    @Test(arguments: [
        (MQTTVersion.v5_0, UInt8(0x88)), (.v5_0, 0x89), (.v5_0, 0x8B), (.v5_0, 0x9F), (.v3_1_1, 3), (.v3_1, 3),
    ])
    func aBusyBrokerIsAskedAgain(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try HoldBench.connected(version)
        try bench.lose()
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            _ = try bench.ready()
            let refused = try bench.broker(.connack(Connack(code: code)))
            #expect(refused.end == nil && refused.actions.closesUplink && !refused.opens && refused.down.isEmpty)
            let delay = refused.actions.lazy.compactMap {
                if case .start(.retry, let delay) = $0 { delay } else { nil }
            }
            #expect(delay.first == .seconds(seconds))
            #expect(try bench.outcome(bench.bench.session.timedOut(.retry)).opens)
        }
        #expect(try bench.comeBack(true).notes.count == 1)
    }

    @Test(arguments: [
        (MQTTVersion.v5_0, UInt8(0x87), UInt8?(0x87)), (.v5_0, 0x86, 0x87), (.v5_0, 0x8A, 0x87), (.v5_0, 0x85, 0x87),
        (.v5_0, 0x97, 0x97), (.v5_0, 0x84, 0x80), (.v3_1_1, 5, nil), (.v3_1_1, 2, nil), (.v3_1, 4, nil),
    ])
    func aRefusalIsPassedOn(_ version: MQTTVersion, _ code: UInt8, _ told: UInt8?) throws {
        var bench = try HoldBench.connected(version)
        try bench.lose()
        _ = try bench.ready()
        let refused = try bench.broker(.connack(Connack(code: code)))
        #expect(refused.end == .refusedByBroker(code: code))
        #expect(refused.actions.closesDevice && refused.actions.closesUplink && bench.bench.session.isOver)
        var said: UInt8?
        if case .disconnect(let disconnect)? = refused.down.first { said = disconnect.reasonCode }
        #expect(said == told)
    }

    @Test func aBrokerThatSendsTheDeviceAwayAgainIsGivenTime() throws {
        let busy = Packet.disconnect(Disconnect(reasonCode: 0x89))
        var bench = try HoldBench.connected(.v5_0)
        #expect(try bench.broker(busy).opens)
        _ = try bench.comeBack(true)
        let again = try bench.broker(busy)
        #expect(!again.opens && again.actions.closesUplink && again.actions.started == [.hold, .retry])
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.comeBack(true)
        _ = try bench.device(.pingreq)
        _ = try bench.broker(.pingresp)
        #expect(try bench.broker(busy).opens)
    }

    @Test func aDeviceWhosePacketsBreakEachLegDoesNotGoRound() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(.message("poison", .atLeastOnce, 1))
        #expect(try bench.lose().opens)
        _ = try bench.comeBack(true)
        // A single failure may be chance.
        #expect(try bench.lose().opens)
        for seconds in [1, 2, 4] {
            _ = try bench.comeBack(true)
            let lost = try bench.lose()
            #expect(!lost.opens && lost.end == nil)
            let delay = lost.actions.lazy.compactMap { if case .start(.retry, let delay) = $0 { delay } else { nil } }
            #expect(delay.first == .seconds(seconds))
            #expect(try bench.outcome(bench.bench.session.timedOut(.retry)).opens)
        }
        _ = try bench.comeBack(true)
        _ = try bench.broker(.ack(.puback, 1))
        #expect(try bench.lose().opens)
    }

    @Test func aLegThatCameBackToTheLineAndFoundNoneIsAskedForAgain() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        // CONNECT goes out on a connection made ahead of time, which is dead, and so is the broker.
        _ = try bench.ready()
        let unreachable = try bench.outcome(bench.bench.session.uplinkUnreachable("no answer"))
        #expect(unreachable.opens && unreachable.end == nil && unreachable.actions.stopped == [.uplinkConnect])
        #expect(try bench.comeBack(true).notes.count == 1)
    }

    @Test func whatEndsOnTheWayBackIsTriedAgain() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.ready()
        let lost = try bench.lose()
        #expect(lost.actions.started == [.retry] && !lost.opens && lost.notes.isEmpty)
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.ready()
        let ended = try bench.outcome(bench.bench.session.uplinkEnded())
        #expect(ended.actions.started == [.retry] && ended.actions.closesUplink && ended.end == nil)
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.ready()
        let late = try bench.outcome(bench.bench.session.timedOut(.uplinkConnect))
        #expect(late.actions.closesUplink && late.opens)
        #expect(try bench.comeBack(true).notes.count == 1)
    }

    @Test func aDisconnectOnTheWayBackIsTheBrokersWord() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.ready()
        let refused = try bench.device(.pingreq)
        #expect(refused.down == [.pingresp])
        #expect(try bench.broker(.disconnect(Disconnect(reasonCode: 0x8A))).end == .brokerDisconnected(code: 0x8A))
    }

    @Test func aFirstPacketThatIsNoConnackIsAViolation() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.ready()
        guard case .brokerViolation? = try bench.broker(.message("a")).end else {
            Issue.record("accepted")
            return
        }
    }
}

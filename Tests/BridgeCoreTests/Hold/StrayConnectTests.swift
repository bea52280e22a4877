import MQTTCodec
import Testing

@testable import BridgeCore

/// A CONNECT that was given up and that the broker reads behind the next one: it takes the session away from the leg that
/// has it.
struct StrayConnectTests {
    private static let takenOver = Packet.disconnect(Disconnect(reasonCode: 0x8E))

    /// A device on whose way back one CONNECT was given up, and the next one accepted.
    private func returned(_ version: MQTTVersion, isPresent: Bool = true) throws -> HoldBench {
        var bench = try HoldBench.connected(version)
        try bench.lose()
        _ = try bench.ready()
        #expect(try bench.lose().actions.started == [.retry])
        #expect(try bench.outcome(bench.bench.session.timedOut(.retry)).opens)
        #expect(try bench.comeBack(isPresent).actions.started == [.strayConnect])
        return bench
    }

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0], [false, true])
    func theEndOfTheStreamThatItCausesIsNoDecision(_ version: MQTTVersion, _ isPresent: Bool) throws {
        var bench = try returned(version, isPresent: isPresent)
        let ended = try bench.outcome(bench.bench.session.uplinkEnded())
        #expect(ended.opens && ended.actions.closesUplink && ended.end == nil && ended.notes.count == 1)
        // It has done what it could.
        _ = try bench.comeBack(isPresent)
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).end == .brokerClosed)
    }

    @Test(arguments: [UInt8?.none, 0x8E])
    func aResetThatItCausesIsNoDecision(_ code: UInt8?) throws {
        var bench = try returned(.v3_1_1)
        let reset = UplinkLoss.byBroker(reasonCode: code, description: "reset")
        #expect(try bench.lose(reset).opens)
        _ = try bench.comeBack(true)
        #expect(try bench.lose(reset).end == reset.end)
    }

    @Test func aDisconnectThatItCausesIsNoDecision() throws {
        var bench = try returned(.v5_0)
        let sent = try bench.broker(Self.takenOver)
        #expect(sent.opens && sent.actions.closesUplink && sent.end == nil && sent.down.isEmpty)
        _ = try bench.comeBack(true)
        #expect(try bench.broker(Self.takenOver).end == .brokerDisconnected(code: 0x8E))
    }

    @Test func whatTheBrokerHasAcknowledgedInBetweenChangesNothing() throws {
        var bench = try returned(.v3_1_1)
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        _ = try bench.broker(.ack(.puback, 1))
        _ = try bench.device(.message("b", .atLeastOnce, 2))
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).opens)
        #expect(try bench.comeBack(true).up == [Packet.message("b", .atLeastOnce, 2).again])
    }

    @Test func otherReasonsAreTheBrokersWord() throws {
        var bench = try returned(.v5_0)
        #expect(try bench.broker(.disconnect(Disconnect(reasonCode: 0x98))).end == .brokerDisconnected(code: 0x98))
        var other = try returned(.v5_0)
        let loss = UplinkLoss.byBroker(reasonCode: 0x98, description: "closed")
        #expect(try other.lose(loss).end == .brokerDisconnected(code: 0x98))
    }

    @Test func afterAWhileItIsNotRead() throws {
        var bench = try returned(.v3_1_1)
        #expect(bench.bench.session.timedOut(.strayConnect).isEmpty)
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).end == .brokerClosed)
    }

    /// While no leg can be made, the broker reads nothing.
    @Test func theTimeOfAnOutageDoesNotCount() throws {
        var bench = try returned(.v3_1_1)
        try bench.lose()
        #expect(bench.bench.session.timedOut(.strayConnect).isEmpty)
        #expect(try bench.comeBack(true).actions.started == [.strayConnect])
        let ended = try bench.outcome(bench.bench.session.uplinkEnded())
        // It was the second loss in a row without an answer to anything.
        #expect(ended.end == nil && ended.actions.started == [.hold, .retry])
    }

    @Test func oneThatGotNoAnswerInTimeIsOne() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        try bench.lose()
        _ = try bench.ready()
        #expect(try bench.outcome(bench.bench.session.timedOut(.uplinkConnect)).opens)
        _ = try bench.comeBack(true)
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).opens)
    }

    @Test func oneWhoseLegCouldNotBeMadeAfterAllIsOne() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        try bench.lose()
        _ = try bench.ready()
        #expect(try bench.outcome(bench.bench.session.uplinkUnreachable("no answer")).opens)
        _ = try bench.comeBack(true)
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).opens)
    }

    /// The leg itself has sent it again, on another connection.
    @Test(arguments: [false, true]) func oneThatWasSentTwiceIsOne(isFirst: Bool) throws {
        var bench = try HoldBench(.v3_1_1)
        _ = try bench.bench.device(bench.bench.connect())
        _ = bench.bench.session.uplinkReady()
        if isFirst { #expect(bench.bench.session.uplinkSentAgain().started == [.uplinkConnect]) }
        #expect(try bench.broker(.connack(Connack())).actions.started == (isFirst ? [.strayConnect] : []))
        if !isFirst {
            try bench.lose()
            _ = try bench.ready()
            // The broker has the whole time again.
            #expect(bench.bench.session.uplinkSentAgain().started == [.uplinkConnect])
            _ = try bench.broker(.connack(Connack(sessionPresent: true)))
        }
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).opens)
    }

    @Test func oneThatTheBrokerAnsweredIsNone() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        for answer in [Packet.connack(Connack(code: 3)), nil] {
            try bench.lose()
            _ = try bench.ready()
            // The broker is busy, or closes without a word.
            if let answer { _ = try bench.broker(answer) } else { _ = bench.bench.session.uplinkEnded() }
            _ = bench.bench.session.timedOut(.retry)
            #expect(try bench.comeBack(true).actions.started == [])
            _ = try bench.device(.pingreq)
            _ = try bench.broker(.pingresp)
        }
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).end == .brokerClosed)
    }

    /// Also before CONNACK, it counts only once.
    @Test func whatEndsTheNextReturnUsesItUp() throws {
        var bench = try returned(.v5_0)
        try bench.lose()
        _ = try bench.ready()
        let reset = UplinkLoss.byBroker(reasonCode: 0x8E, description: "taken over")
        #expect(try bench.lose(reset).actions.started == [.retry])
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.ready()
        #expect(try bench.lose(reset).end == .brokerDisconnected(code: 0x8E))
    }

    /// Otherwise two gateways could fight over a client id for ever.
    @Test func anotherOneDoesNotCountUntilTheDeviceHasBeenBackForAWhile() throws {
        var bench = try returned(.v3_1_1)
        for isLast in [false, true] {
            #expect(try bench.outcome(bench.bench.session.uplinkEnded()).opens)
            _ = try bench.ready()
            _ = bench.bench.session.timedOut(.uplinkConnect)
            #expect(try bench.comeBack(true).actions.started == [.strayConnect])
            if !isLast {
                _ = try bench.device(.pingreq)
                _ = try bench.broker(.pingresp)
                #expect(bench.bench.session.timedOut(.strayConnect).isEmpty)
                try bench.lose()
                _ = try bench.ready()
                _ = bench.bench.session.timedOut(.uplinkConnect)
                _ = try bench.comeBack(true)
            }
        }
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).end == .brokerClosed)
    }

    @Test func anEndBeforeConnackSaysNothingOfIt() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        try bench.lose()
        _ = try bench.ready()
        _ = bench.bench.session.timedOut(.uplinkConnect)
        _ = try bench.ready()
        _ = bench.bench.session.uplinkEnded()
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.comeBack(true)
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).opens)
    }

    /// While the path is silent, the broker reads nothing either.
    @Test func theTimeOfASilenceDoesNotCount() throws {
        var bench = try returned(.v3_1_1)
        _ = try bench.silence()
        #expect(bench.bench.session.timedOut(.strayConnect).isEmpty)
        #expect(try bench.answer(after: .seconds(2)).actions.started == [.strayConnect])
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).end == nil)
    }

    @Test func itsTimeEndsWithTheSession() throws {
        var bench = try returned(.v5_0)
        let left = try bench.device(.disconnect(Disconnect(reasonCode: 0)))
        #expect(left.actions.stopped.contains(.strayConnect))
    }

    @Test func aSessionThatCannotContinueEndsAsBefore() throws {
        var bench = try returned(.v3_1_1)
        // A second CONNECT, which only the broker can judge.
        _ = try bench.bench.device(bench.bench.connect())
        #expect(try bench.outcome(bench.bench.session.uplinkEnded()).end == .brokerClosed)
    }

    /// A server that closes like this because another one has taken the session does so again: the two must not fight.
    @Test func aCloseWithoutAWordIsTheNetworksOnce() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        #expect(try bench.outcome(bench.bench.session.uplinkLost(.closed(description: "0"))).opens)
        #expect(try bench.comeBack(true).actions.started == [.strayConnect])
        var other = bench
        #expect(try bench.outcome(bench.bench.session.uplinkLost(.closed(description: "0"))).end == .brokerClosed)
        // After a while without it, the server may have been stopped again.
        _ = other.bench.session.timedOut(.strayConnect)
        #expect(try other.outcome(other.bench.session.uplinkLost(.closed(description: "0"))).opens)
    }

    /// A restart of the broker leaves both behind: the close of the old connection, and a CONNECT that came too early.
    @Test func aCloseWithoutAWordDoesNotHideACONNECT() throws {
        var bench = try HoldBench.connected(.v5_0)
        #expect(try bench.outcome(bench.bench.session.uplinkLost(.closed(description: "0"))).opens)
        _ = try bench.ready()
        _ = bench.bench.session.timedOut(.uplinkConnect)
        _ = try bench.comeBack(true)
        let taken = try bench.broker(.disconnect(Disconnect(reasonCode: 0x8E)))
        #expect(taken.opens && taken.end == nil)
    }
}

import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// Which ends of an uplink a device outlives: the table of ends, with and without hold.
@Suite struct HoldEndTests {
    enum What: Sendable {
        case fin
        case loss(UplinkLoss)
        case disconnect(UInt8)
    }

    struct Row: Sendable {
        var what: What
        var version = MQTTVersion.v5_0
        /// `nil` if the device is held.
        var end: SessionEnd?
        var endOnClose: SessionEnd

        init(_ what: What, _ version: MQTTVersion = .v5_0, held: Bool, onClose: SessionEnd) {
            self.what = what
            self.version = version
            end = held ? nil : onClose
            endOnClose = onClose
        }
    }

    static let table: [Row] = [
        Row(.loss(.network(description: "idle")), held: true, onClose: .uplinkLost("idle")),
        Row(.loss(.network(description: "app 2")), .v3_1_1, held: true, onClose: .uplinkLost("app 2")),
        Row(.loss(.network(description: "reset")), .v3_1, held: true, onClose: .uplinkLost("reset")),
        Row(.disconnect(0x88), held: true, onClose: .brokerDisconnected(code: 0x88)),
        Row(.disconnect(0x89), held: true, onClose: .brokerDisconnected(code: 0x89)),
        Row(.disconnect(0x8B), held: true, onClose: .brokerDisconnected(code: 0x8B)),
        Row(.disconnect(0x8E), held: false, onClose: .brokerDisconnected(code: 0x8E)),
        Row(.disconnect(0x8D), held: false, onClose: .brokerDisconnected(code: 0x8D)),
        Row(.disconnect(0x82), held: false, onClose: .brokerDisconnected(code: 0x82)),
        Row(.disconnect(0x98), held: false, onClose: .brokerDisconnected(code: 0x98)),
        Row(.fin, held: false, onClose: .brokerClosed),
        Row(.fin, .v3_1_1, held: false, onClose: .brokerClosed),
        Row(.loss(.closed(description: "0")), held: true, onClose: .brokerClosed),
        Row(.loss(.closed(description: "0")), .v3_1_1, held: true, onClose: .brokerClosed),
        Row(.loss(.byBroker(reasonCode: nil, description: "1")), held: false, onClose: .brokerClosed),
        Row(.loss(.byBroker(reasonCode: 0x8E, description: "")), held: false, onClose: .brokerDisconnected(code: 0x8E)),
    ]

    @Test(arguments: table)
    func theTable(_ row: Row) throws {
        for isHeld in [true, false] {
            var bench = try HoldBench.connected(row.version, isHeld: isHeld)
            let outcome = try Self.apply(row.what, &bench)
            let expected = isHeld ? row.end : row.endOnClose
            #expect(outcome.end == expected)
            #expect(outcome.opens == (expected == nil))
            #expect(outcome.actions.closesDevice == (expected != nil))
        }
    }

    private static func apply(_ what: What, _ bench: inout HoldBench) throws -> HoldBench.Outcome {
        switch what {
        case .fin: try bench.outcome(bench.bench.session.uplinkEnded())
        case .loss(let loss): try bench.lose(loss)
        case .disconnect(let code): try bench.broker(.disconnect(Disconnect(reasonCode: code)))
        }
    }

    @Test func aBrokerThatLeavesIsLeftBeforeItIsAskedAgain() throws {
        var bench = try HoldBench.connected(.v5_0)
        let outcome = try bench.broker(.disconnect(Disconnect(reasonCode: 0x8B)))
        #expect(outcome.actions.closesUplink && outcome.opens && outcome.down.isEmpty)
    }

    @Test func beforeConnackTheDeviceIsTold() throws {
        var bench = try HoldBench(.v5_0)
        _ = try bench.bench.device(bench.bench.connect())
        _ = bench.bench.session.uplinkReady()
        #expect(try bench.lose().end == .uplinkLost("idle"))
    }

    @Test func enhancedAuthenticationCannotBeRepeated() throws {
        var bench = try HoldBench.connected(.v5_0) { $0.properties.authenticationMethod = "SCRAM" }
        #expect(try bench.lose().end == .uplinkLost("idle"))
    }

    // MARK: Silence

    @Test func theSameLegGoesOn() throws {
        var bench = try HoldBench.connected(.v3_1_1) { $0.keepAlive = 10 }
        let silent = try bench.silence()
        #expect(silent.notes == [.held("the broker does not answer")])
        #expect(silent.actions.started == [.hold, .brokerPatience])
        #expect(try bench.device(.message("a", .atLeastOnce, 1)).up.isEmpty)
        #expect(try bench.device(.message("b")).up.isEmpty)
        let answered = try bench.answer(after: .seconds(14))
        #expect(answered.up == [.message("a", .atLeastOnce, 1), .message("b")])
        #expect(answered.notes == [.resumed(.sameLeg)])
        #expect(answered.actions.stopped == [.hold, .brokerPatience])
    }

    @Test func afterTheBrokersPatienceTheLegIsGivenUp() throws {
        var bench = try HoldBench.connected(.v3_1_1) { $0.keepAlive = 10 }
        _ = try bench.silence()
        let answered = try bench.answer(after: .seconds(15))
        #expect(answered.actions.closesUplink && answered.opens && answered.end == nil && answered.notes.isEmpty)
        bench = try HoldBench.connected(.v3_1_1) { $0.keepAlive = 10 }
        _ = try bench.silence()
        let patience = try bench.outcome(bench.bench.session.timedOut(.brokerPatience))
        #expect(patience.actions.closesUplink && patience.opens && patience.notes.isEmpty)
    }

    @Test func withoutKeepaliveThereIsNoPatienceToLose() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        #expect(try bench.silence().actions.started == [.hold])
        #expect(try bench.answer(after: .seconds(100_000)).notes == [.resumed(.sameLeg)])
    }

    @Test func aKeepAliveTimeoutAfterSilenceIsTheNetworks() throws {
        var bench = try HoldBench.connected(.v5_0) { $0.keepAlive = 10 }
        _ = try bench.silence()
        _ = try bench.answer(after: .seconds(14))
        #expect(try bench.broker(.disconnect(Disconnect(reasonCode: 0x8D))).opens)
        // It is not, once the broker has answered.
        bench = try HoldBench.connected(.v5_0) { $0.keepAlive = 10 }
        _ = try bench.silence()
        _ = try bench.answer(after: .seconds(14))
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        _ = try bench.broker(.ack(.puback, 1))
        #expect(try bench.broker(.disconnect(Disconnect(reasonCode: 0x8D))).end == .brokerDisconnected(code: 0x8D))
    }

    /// The device's last packet is older than the silence, and in 3.1.1 the broker has no packet that announces the
    /// end.
    @Test(arguments: [What.fin, .loss(.byBroker(reasonCode: nil, description: "app 0"))])
    func anEndWithoutAWordAfterALongSilenceIsTheNetworks(_ what: What) throws {
        for (silence, isHeld) in [(5, true), (14, true), (4, false)] {
            var bench = try HoldBench.connected(.v3_1_1) { $0.keepAlive = 10 }
            _ = try bench.silence()
            _ = try bench.answer(after: .seconds(silence))
            let outcome = try Self.apply(what, &bench)
            #expect(outcome.opens == isHeld && outcome.end == (isHeld ? nil : .brokerClosed))
        }
        // It is not, once the broker has answered.
        var bench = try HoldBench.connected(.v3_1_1) { $0.keepAlive = 10 }
        _ = try bench.silence()
        _ = try bench.answer(after: .seconds(14))
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        _ = try bench.broker(.ack(.puback, 1))
        #expect(try Self.apply(what, &bench).end == .brokerClosed)
        // Without a keepalive there is no patience.
        bench = try HoldBench.connected(.v3_1_1)
        _ = try bench.silence()
        _ = try bench.answer(after: .seconds(1_000))
        #expect(try Self.apply(what, &bench).end == .brokerClosed)
    }

    @Test func aTakeoverOutOfSilenceIsTheBrokers() throws {
        var bench = try HoldBench.connected(.v5_0) { $0.keepAlive = 10 }
        _ = try bench.silence()
        #expect(try bench.broker(.disconnect(Disconnect(reasonCode: 0x8E))).end == .brokerDisconnected(code: 0x8E))
    }

    @Test func silenceAndThenLossIsOneHold() throws {
        var bench = try HoldBench.connected(.v5_0) { $0.keepAlive = 10 }
        _ = try bench.silence()
        let lost = try bench.lose()
        #expect(lost.notes.isEmpty && lost.opens && lost.actions.started.isEmpty)
        #expect(lost.actions.stopped == [.brokerPatience])
    }

    // MARK: The end of holding

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func holdTimeIsUp(_ version: MQTTVersion) throws {
        var bench = try HoldBench.connected(version)
        try bench.lose()
        #expect(try bench.outcome(bench.bench.session.uplinkUnreachable("no route")).opens)
        let outcome = try bench.outcome(bench.bench.session.timedOut(.hold))
        #expect(outcome.end == .holdExpired("no route"))
        #expect(outcome.actions.closesUplink && outcome.actions.closesDevice && bench.bench.session.isOver)
        #expect(outcome.down.isEmpty == (version == .v3_1_1))
    }

    @Test func anEarlierTimerIsNoEnd() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.comeBack(true)
        #expect(bench.bench.session.timedOut(.hold).isEmpty)
        #expect(bench.bench.session.timedOut(.retry).isEmpty)
        #expect(bench.bench.session.timedOut(.uplinkConnect).isEmpty)
        #expect(bench.bench.session.timedOut(.brokerPatience).isEmpty)
    }

    @Test func whatMayEndAHeldSession() throws {
        let ends: [(inout HoldBench) throws -> [SessionAction]] = [
            { try $0.bench.device(.disconnect(Disconnect())) }, { $0.bench.session.deviceClosed() },
            { $0.bench.session.timedOut(.keepAlive) }, { $0.bench.session.shutDown() },
            { $0.bench.session.deviceMisbehaved(.beforeConnack, start: ByteBuffer()) },
            { $0.bench.session.timedOut(.hold) },
        ]
        for end in ends {
            for isAsked in [true, false] {
                var bench = try HoldBench.connected(.v5_0)
                _ = try bench.device(.message("a", .atLeastOnce, 1))
                if isAsked { try bench.lose() } else { _ = try bench.silence() }
                _ = try bench.device(.message("b", .exactlyOnce, 2))
                #expect(bench.budget.usedBytes > 0)
                let actions = try end(&bench)
                #expect(actions.end != nil && actions.stopped.contains(.hold))
                #expect(bench.budget.usedBytes == 0)
                #expect(actions.closesUplink || actions.finishesUplink)
                if isAsked { #expect(actions.toUplink.isEmpty && bench.bench.session.isOver) }
            }
        }
    }

    @Test func aSilentLegIsGivenAllBeforeTheEnd() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        _ = try bench.silence()
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        let outcome = try bench.device(.disconnect(Disconnect()))
        #expect(outcome.up == [.message("a", .atLeastOnce, 1), .disconnect(Disconnect())])
        #expect(outcome.actions.finishesUplink && outcome.end == .deviceDisconnected)
    }
}

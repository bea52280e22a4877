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
        /// `nil`: held.
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
        Row(.loss(.byBroker(reasonCode: nil, description: "0")), held: false, onClose: .brokerClosed),
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
        // But not once the broker has answered.
        bench = try HoldBench.connected(.v5_0) { $0.keepAlive = 10 }
        _ = try bench.silence()
        _ = try bench.answer(after: .seconds(14))
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        _ = try bench.broker(.ack(.puback, 1))
        #expect(try bench.broker(.disconnect(Disconnect(reasonCode: 0x8D))).end == .brokerDisconnected(code: 0x8D))
    }

    /// The device's last packet is older than the silence, and the broker has no word for the end in 3.1.1.
    @Test(arguments: [What.fin, .loss(.byBroker(reasonCode: nil, description: "app 0"))])
    func anEndWithoutAWordAfterALongSilenceIsTheNetworks(_ what: What) throws {
        for (silence, isHeld) in [(5, true), (14, true), (4, false)] {
            var bench = try HoldBench.connected(.v3_1_1) { $0.keepAlive = 10 }
            _ = try bench.silence()
            _ = try bench.answer(after: .seconds(silence))
            let outcome = try Self.apply(what, &bench)
            #expect(outcome.opens == isHeld && outcome.end == (isHeld ? nil : .brokerClosed))
        }
        // But not once the broker has answered.
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

    // MARK: The borrowed expiry

    @Test func theBrokerKeepsTheSessionForAsLongAsTheDeviceIsHeld() throws {
        for (own, sent) in [(UInt32?.none, UInt32(300)), (0, 300), (7, 7)] {
            var bench = try HoldBench(.v5_0)
            _ = try bench.bench.device(bench.bench.connect { $0.properties.sessionExpiryInterval = own })
            let first = try bench.ready()
            guard case .connect(let connect)? = first.up.first else { return }
            #expect(connect.properties.sessionExpiryInterval == sent && connect.cleanStart)
            let connack = try bench.broker(.connack(Connack(properties: [.sessionExpiryInterval(sent)])))
            guard case .connack(let told)? = connack.down.first else { return }
            #expect(told.properties.sessionExpiryInterval == (sent == 7 ? 7 : nil))
            let gone = try bench.device(.disconnect(Disconnect()))
            #expect(gone.up == [.disconnect(Disconnect(properties: sent == 7 ? [] : [.sessionExpiryInterval(0)]))])
        }
    }

    private static let will = Will(topic: "will", payload: ByteBuffer(string: "gone"))

    /// So that most brokers publish nothing meanwhile. What the device asked for is void where its session would have ended
    /// with its connection, and stays as it is where not.
    @Test func theWillWaitsForAsLongAsTheDeviceIsHeld() throws {
        let rows: [(expiry: UInt32?, delay: UInt32?, sent: UInt32?)] = [
            (nil, nil, 300), (0, nil, 300), (nil, 0, 300), (nil, 10, 300), (0, 1_000, 1_000), (7, nil, nil), (7, 5, 5),
            (1_000, 600, 600),
        ]
        for (expiry, delay, sent) in rows {
            for isHeld in [true, false] {
                var bench = try HoldBench(.v5_0, isHeld: isHeld)
                _ = try bench.bench.device(
                    bench.bench.connect {
                        $0.properties.sessionExpiryInterval = expiry
                        $0.will = Self.will
                        $0.will?.properties.willDelayInterval = delay
                    })
                var legs: [Packet?] = [try bench.ready().up.first]
                if isHeld {
                    _ = try bench.broker(.connack(Connack()))
                    try bench.lose()
                    legs.append(try bench.ready().up.first)
                }
                for case .connect(let connect)? in legs {
                    #expect(connect.will?.properties.willDelayInterval == (isHeld ? sent : delay))
                    #expect(connect.will?.topic == "will" && connect.will?.payload == Self.will.payload)
                }
                #expect(legs.allSatisfy { $0 != nil })
            }
        }
        // There is none to delay in 3.1.1, nor where there is no will.
        var bench = try HoldBench(.v3_1_1)
        _ = try bench.bench.device(bench.bench.connect { $0.will = Self.will })
        guard case .connect(let connect)? = try bench.ready().up.first else { throw HoldBench.BenchError.noConnect }
        #expect(connect.will == Self.will)
    }

    /// EMQX publishes no will at a DISCONNECT that also ends the session in the same moment.
    @Test func aSessionWhoseWillIsDueLastsForAnotherSecond() throws {
        let ends: [(name: String, code: UInt8, end: (inout HoldBench) throws -> [SessionAction])] = [
            ("vanished", 4, { $0.bench.session.deviceClosed() }),
            ("keepalive", 4, { $0.bench.session.timedOut(.keepAlive) }),
            ("no MQTT", 4, { $0.bench.session.deviceMisbehaved(.secondConnect, start: ByteBuffer()) }),
            ("expiry at the end", 4, { try $0.bench.device(Self.disconnect(0, expiry: 60)) }),
            ("expiry and will", 4, { try $0.bench.device(Self.disconnect(4, expiry: 60)) }),
            ("with will", 4, { try $0.bench.device(Self.disconnect(4)) }),
            ("with will, expiry 0", 4, { try $0.bench.device(Self.disconnect(4, expiry: 0)) }),
            ("an error of the device's", 0x80, { try $0.bench.device(Self.disconnect(0x80)) }),
            ("normal", 0, { try $0.bench.device(Self.disconnect(0)) }),
            ("normal, expiry 0", 0, { try $0.bench.device(Self.disconnect(0, expiry: 0)) }),
            ("shutdown", 0, { $0.bench.session.shutDown() }),
        ]
        for (name, code, end) in ends {
            for hasWill in [true, false] {
                var bench = try HoldBench.connected(.v5_0) { if hasWill { $0.will = Self.will } }
                let gone = try bench.outcome(end(&bench))
                let expiry: UInt32 = hasWill && code != 0 ? 1 : 0
                #expect(
                    gone.up == [
                        .disconnect(Disconnect(reasonCode: code, properties: [.sessionExpiryInterval(expiry)]))
                    ],
                    "\(name), will: \(hasWill)")
                #expect(gone.actions.finishesUplink, "\(name)")
            }
        }
    }

    /// What it means is the broker's to say.
    @Test func aReasonThatThereIsNotIsPassedOn() throws {
        var bench = try HoldBench.connected(.v5_0) { $0.will = Self.will }
        let actions = bench.bench.session.deviceSent(
            .packet(try Frame(packet: ByteBuffer(bytes: [0xE0, 1, 0x01]), version: .v5_0)))
        #expect(actions.toUplink == [ByteBuffer(bytes: [0xE0, 7, 0x01, 5, 0x11, 0, 0, 0, 1])])
    }

    private static func disconnect(_ code: UInt8, expiry: UInt32? = nil) -> Packet {
        .disconnect(Disconnect(reasonCode: code, properties: expiry.map { [.sessionExpiryInterval($0)] } ?? []))
    }

    /// Nobody but the bridge knows that the device had asked for none.
    @Test func aDeviceThatAsksForAnExpiryAtTheEndIsTold() throws {
        for (own, isWrong) in [(UInt32?.none, true), (0, true), (7, false)] {
            for isConnected in [true, false] {
                var bench = try HoldBench(.v5_0)
                _ = try bench.bench.device(bench.bench.connect { $0.properties.sessionExpiryInterval = own })
                _ = try bench.ready()
                if isConnected { _ = try bench.broker(.connack(Connack())) }
                guard isConnected || bench.accepts else { continue }
                let gone = try bench.device(Self.disconnect(0, expiry: 60))
                #expect((gone.end == .deviceDisconnected) == !isWrong)
                if isWrong {
                    let told = try isConnected ? bench.outcome(bench.bench.session.uplinkEnded()) : gone
                    guard case .disconnect(let told)? = told.down.first else { throw HoldBench.BenchError.noConnect }
                    #expect(told.reasonCode == ReasonCode.protocolError.rawValue)
                } else {
                    #expect(gone.up == [Self.disconnect(0, expiry: 60)])
                }
            }
        }
    }

    @Test func aSessionWithAnExpiryOfItsOwnIsLeftWithoutAWord() throws {
        var bench = try HoldBench.connected(.v5_0) {
            $0.properties.sessionExpiryInterval = 7
            $0.will = Self.will
        }
        #expect(try bench.outcome(bench.bench.session.deviceClosed()).up.isEmpty)
        bench = try HoldBench.connected(.v3_1_1) { $0.will = Self.will }
        #expect(try bench.outcome(bench.bench.session.deviceClosed()).up.isEmpty)
    }
}

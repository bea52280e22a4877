import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// Sessions of one client id come one after the other.
@Suite struct SessionOrderTests {
    private func waiting() throws -> SessionBench {
        var bench = try SessionBench(.v5_0)
        bench.clientIDWait = .brief
        let actions = try bench.device(bench.connect())
        #expect(actions.opensUplink)
        #expect(actions.starts == [.uplinkConnect: .seconds(5), .predecessor: .seconds(1)])
        return bench
    }

    @Test func theClientIDThatTheBrokerSeesIsTaken() throws {
        var bench = try SessionBench()
        let taken = try bench.device(bench.connect { $0.clientID = "seen" }).compactMap {
            if case .takeClientID(let id) = $0 { id } else { nil }
        }
        #expect(taken == ["seen"])
    }

    @Test func connectWaitsForTheLeg() throws {
        var bench = try waiting()
        #expect(bench.session.clientIDIsFree().toUplink.isEmpty)
        #expect(bench.session.uplinkReady().toUplink.count == 1)
    }

    @Test func connectWaitsForTheEarlierSession() throws {
        var bench = try waiting()
        #expect(bench.session.uplinkReady().toUplink.isEmpty)
        let actions = bench.session.clientIDIsFree()
        #expect(actions.toUplink == [try bench.connect().encode(version: .v5_0)])
        #expect(actions.stops.contains(.predecessor))
        // Even if it is told twice, CONNECT is sent once.
        #expect(bench.session.clientIDIsFree().toUplink.isEmpty)
        #expect(bench.session.timedOut(.predecessor).toUplink.isEmpty)
    }

    @Test func itDoesNotWaitForEver() throws {
        var bench = try waiting()
        _ = bench.session.uplinkReady()
        #expect(bench.session.timedOut(.predecessor).toUplink.count == 1)
        #expect(bench.session.clientIDIsFree().toUplink.isEmpty)
    }

    @Test func aDeviceThatLeavesMeanwhileHasLeftNothingAtTheBroker() throws {
        var bench = try waiting()
        _ = bench.session.uplinkReady()
        let actions = bench.session.deviceClosed()
        #expect(actions.closesUplink && actions.toUplink.isEmpty)
        #expect(actions.stops.contains(.predecessor))
        #expect(bench.session.isOver)
        #expect(bench.session.clientIDIsFree().isEmpty)
    }

    @Test func aClientIDOfTheBrokersIsTakenWhenItIsKnown() throws {
        var bench = try SessionBench(.v5_0)
        #expect(try !bench.device(bench.connect { $0.clientID = "" }).takesClientID)
        #expect(bench.session.uplinkReady().toUplink.count == 1)
        var connack = Connack(sessionPresent: false, code: 0)
        connack.properties.assignedClientIdentifier = "assigned"
        let actions = try bench.broker(.connack(connack))
        #expect(actions.contains { if case .takeClientID("assigned") = $0 { true } else { false } })
        #expect(bench.session.clientIDTaken(.brief).isEmpty)
        #expect(bench.session.clientIDTaken(.none).isEmpty)
    }

    /// The device had not asked for its previous session: without the bridge there would be none.
    @Test func aDeviceThatComesAfterABorrowedSessionBeginsAnew() throws {
        let policy = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1_000_000))
        for (version, expiry, isBorrowed) in [
            (MQTTVersion.v5_0, UInt32?.none, true), (.v5_0, 7, false), (.v3_1_1, nil, false),
        ] {
            var bench = try SessionBench(version, hold: policy)
            var connect = Connect(version: version, cleanStart: false, clientID: "dev")
            connect.username = "u"
            connect.properties.sessionExpiryInterval = expiry
            _ = bench.session.deviceSent(.packet(try Frame(packet: connect.encode(), version: nil)))
            #expect(bench.session.isSessionBorrowed == isBorrowed)
            bench.session.findsNoSession()
            let sent = (bench.session.clientIDTaken(.none) + bench.session.uplinkReady()).toUplink
            let first = try #require(sent.first)
            let seen = try Connect.decode(Frame(packet: first, version: nil))
            #expect(seen.cleanStart == (version == .v5_0))
            #expect(seen.clientID == connect.clientID && seen.username == "u" && seen.keepAlive == connect.keepAlive)
        }
    }

    /// The broker is told nothing, so its session goes to the newcomer as it is.
    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func aHeldSessionMakesWayForANewcomer(_ version: MQTTVersion) throws {
        let hold = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1_000_000))
        var bench = try SessionBench(version, hold: hold)
        try bench.establish()
        _ = bench.session.uplinkLost(.network(description: "gone"))
        let actions = bench.session.takenOver(byContinuation: false)
        #expect(actions.end == .takenOver)
        #expect(actions.toUplink.isEmpty && !actions.finishesUplink && actions.closesUplink)
        #expect(actions.closesDevice)
        #expect(bench.session.isOver)
        guard version == .v5_0 else {
            #expect(actions.toDevice.isEmpty)
            return
        }
        let frame = try Frame(packet: try #require(actions.toDevice.first), version: version)
        #expect(try Disconnect.decode(frame, version: version).reasonCode == ReasonCode.sessionTakenOver.rawValue)
    }

    /// The connection is closed as soon as the broker has sent DISCONNECT: EMQX makes the next takeover wait for three
    /// seconds while it is open.
    @Test func theConnectionOfASessionThatIsTakenOverIsClosedAtOnce() throws {
        let hold = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1_000_000))
        var bench = try SessionBench(.v5_0, hold: hold)
        try bench.establish()
        let disconnect = Disconnect(reasonCode: ReasonCode.sessionTakenOver.rawValue)
        let actions = try bench.broker(.disconnect(disconnect))
        #expect(actions.toDevice == [try Packet.disconnect(disconnect).encode(version: .v5_0)])
        #expect(actions.closesUplink && !actions.finishesUplink && actions.toUplink.isEmpty)
        #expect(bench.session.isOver)
    }

    // MARK: A CONNECT that is given up

    @Test func aLegThatComesToNothingBehindTheEndEndsTheSession() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        #expect(bench.session.deviceClosed().finishesUplink)
        #expect(bench.session.uplinkUnreachable("nobody is there").stops == [.goodbye])
        #expect(bench.session.isOver)
    }

    /// EMQX loses the session that such a CONNECT takes over if the connection ends before EMQX has answered.
    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func aConnectThatNobodyAnswersIsFollowedByTheEndOfItsStream(_ version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        _ = try bench.device(bench.connect { $0.will = Will(topic: "will", payload: ByteBuffer()) })
        _ = bench.session.uplinkReady()
        let actions = bench.session.timedOut(.uplinkConnect)
        #expect(actions.end != nil && actions.closesDevice)
        #expect(actions.finishesUplink && !actions.closesUplink)
        // The device was told that it is not connected, so its will must not be published.
        #expect(actions.toUplink == [try Packet.disconnect(Disconnect()).encode(version: version)])
        // CONNACK comes late, and then the broker's FIN.
        #expect(try bench.broker(.connack(Connack(sessionPresent: false, code: 0))).isEmpty)
        #expect(bench.session.uplinkEnded().closesUplink)
        #expect(bench.session.isOver)
    }

    @Test func whatWasNotSentNeedsNoEnd() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        let actions = bench.session.timedOut(.uplinkConnect)
        #expect(actions.closesUplink && !actions.finishesUplink && actions.toUplink.isEmpty)
        #expect(bench.session.isOver)
    }

    @Test func itWaitsForWhatHasBecomeOfAnUnansweredOneForAsLongAsForTheBroker() throws {
        var bench = try SessionBench()
        bench.clientIDWait = .untilOver
        #expect(try bench.device(bench.connect()).starts[.predecessor] == nil)
        #expect(bench.session.uplinkReady().toUplink.isEmpty)
        #expect(bench.session.clientIDIsFree().toUplink.count == 1)
    }

    /// The uplink is there, so the reason is not the network.
    @Test func whatItWaitedForInVainIsSaid() throws {
        var bench = try SessionBench()
        bench.clientIDWait = .untilOver
        _ = try bench.device(bench.connect())
        var unreachable = bench
        #expect(
            unreachable.session.timedOut(.uplinkConnect).end
                == .uplinkUnreachable("no QUIC connection was made within uplink.connect_timeout"))
        _ = bench.session.uplinkReady()
        let actions = bench.session.timedOut(.uplinkConnect, detail: "no route")
        #expect(actions.end == .predecessorStays && actions.closesDevice)
        #expect(actions.toUplink.isEmpty && actions.closesUplink)
        #expect(
            try actions.toDevice == [Packet.connack(Connack(sessionPresent: false, code: 3)).encode(version: .v3_1_1)])
    }

    @Test func aHeldSessionThatIsOnItsWayBackLeavesInOrder() throws {
        let hold = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1_000_000))
        var bench = try SessionBench(.v5_0, hold: hold)
        try bench.establish()
        _ = bench.session.uplinkLost(.network(description: "gone"))
        _ = bench.session.uplinkReady()
        let actions = bench.session.takenOver(byContinuation: true)
        // Its device had asked for no session, so it must not be found.
        var disconnect = Disconnect()
        disconnect.properties.sessionExpiryInterval = 0
        #expect(actions.toUplink == [try Packet.disconnect(disconnect).encode(version: .v5_0)])
        #expect(actions.finishesUplink && !actions.closesUplink)
    }
}

extension [SessionAction] {
    fileprivate var starts: [SessionTimer: Duration] {
        reduce(into: [:]) { if case .start(let timer, let delay) = $1 { $0[timer] = delay } }
    }

    fileprivate var stops: [SessionTimer] { compactMap { if case .stop(let timer) = $0 { timer } else { nil } } }
}

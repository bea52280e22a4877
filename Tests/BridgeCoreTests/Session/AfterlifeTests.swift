import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What a session whose expiry the bridge had asked for leaves at the broker, and which of its successors may find it.
@Suite struct AfterlifeTests {
    /// `hold_time`, 1.5 times a keepalive of 60 s, and 5 s.
    private static let untold = Duration.seconds(300 + 90 + 5)
    private static let lingering = Duration.seconds(3)
    private static let start = NIODeadline.uptimeNanoseconds(0)

    private static func connected(
        _ version: MQTTVersion = .v5_0, connack: Connack = Connack(), _ change: (inout Connect) -> Void = { _ in }
    ) throws -> HoldBench {
        try HoldBench.connected(version, connack: connack) {
            $0.keepAlive = 60
            change(&$0)
        }
    }

    private static func longMessage() throws -> FrameDecoder.Element {
        let publish = PublishHead(topic: "t")
        let head = try publish.encode(version: .v5_0, payloadLength: 100_000)
        return .publishBegin(StreamedPublish(head: head, flags: 0, publish: publish, payloadLength: 100_000))
    }

    private static func will(_ connect: inout Connect) {
        connect.will = Will(topic: "w", qos: .atLeastOnce)
    }

    // MARK: How long

    typealias Way = @Sendable (inout HoldBench) throws -> Void

    /// The broker was not told, or may not have been.
    static let untoldEnds: [(name: String, way: Way)] = [
        (
            "the device closes its connection while it is held",
            {
                try $0.lose()
                _ = $0.bench.session.deviceClosed()
            }
        ),
        (
            "the device disconnects while it is held",
            {
                try $0.lose()
                _ = try $0.device(.disconnect(Disconnect()))
            }
        ),
        (
            "the leg is lost in the middle of a long message",
            {
                _ = $0.bench.session.uplinkSent(try Self.longMessage())
                try $0.lose()
            }
        ),
        (
            "the path is dead: no end of the broker's comes",
            {
                _ = try $0.silence()
                _ = $0.bench.session.deviceClosed()
                _ = $0.bench.session.timedOut(.goodbye)
            }
        ),
        (
            "the path is dead: the leg is lost behind the end",
            {
                _ = try $0.silence()
                _ = $0.bench.session.deviceClosed()
                try $0.lose()
            }
        ),
        (
            "the device comes again while it is held",
            {
                try $0.lose()
                _ = $0.bench.session.takenOver(byContinuation: false)
            }
        ),
        (
            "the device comes again while the path is silent",
            {
                _ = try $0.silence()
                _ = $0.bench.session.takenOver(byContinuation: false)
            }
        ),
        (
            "the time is over",
            {
                try $0.lose()
                _ = $0.bench.session.timedOut(.hold)
            }
        ),
        (
            "the broker refuses the return",
            {
                try $0.lose()
                _ = try $0.ready()
                _ = try $0.broker(.connack(Connack(sessionPresent: false, code: 0x87)))
            }
        ),
        (
            "the device comes again while it returns",
            {
                try $0.lose()
                _ = try $0.ready()
                _ = $0.bench.session.takenOver(byContinuation: false)
                _ = $0.bench.session.uplinkEnded()
            }
        ),
        (
            "the device disconnects while it returns, and the broker refuses the return",
            {
                try $0.lose()
                _ = try $0.ready()
                _ = try $0.device(.disconnect(Disconnect()))
                _ = try $0.broker(.connack(Connack(sessionPresent: false, code: 0x97)))
                _ = $0.bench.session.uplinkEnded()
            }
        ),
        ("the broker disconnects the device", { _ = try $0.broker(.disconnect(Disconnect(reasonCode: 0x98))) }),
        ("the broker closes without a reason", { _ = $0.bench.session.uplinkEnded() }),
    ]

    @Test(arguments: untoldEnds.indices) func theBrokerWasNotTold(_ index: Int) throws {
        let (name, way) = Self.untoldEnds[index]
        for hasWill in [true, false] {
            var bench = try Self.connected { if hasWill { Self.will(&$0) } }
            #expect(bench.bench.session.afterlife == nil)
            try way(&bench)
            #expect(bench.bench.session.isOver && bench.bench.session.afterlife == Self.untold, "\(name)")
            // A device that asked for it may find it.
            bench = try Self.connected {
                $0.properties.sessionExpiryInterval = 60
                if hasWill { Self.will(&$0) }
            }
            try way(&bench)
            #expect(bench.bench.session.isOver && bench.bench.session.afterlife == nil, "\(name)")
        }
    }

    @Test(arguments: [true, false]) func in311NothingIsBorrowed(isClean: Bool) throws {
        var bench = try Self.connected(.v3_1_1) { $0.cleanStart = isClean }
        try bench.lose()
        _ = bench.bench.session.deviceClosed()
        #expect(bench.bench.session.isOver && bench.bench.session.afterlife == nil)
    }

    @Test(arguments: [true, false]) func theBrokerHasHeardOfTheEnd(hasWill: Bool) throws {
        for loss in [UplinkLoss?.none, .byBroker(reasonCode: nil, description: "0")] {
            var bench = try Self.connected { if hasWill { Self.will(&$0) } }
            _ = bench.bench.session.deviceClosed()
            #expect(bench.bench.session.afterlife == Self.untold, "it may not have come there yet")
            _ = loss.map { bench.bench.session.uplinkLost($0) } ?? bench.bench.session.uplinkEnded()
            #expect(bench.bench.session.isOver && bench.bench.session.afterlife == (hasWill ? Self.lingering : nil))
        }
    }

    /// Behind the beginning of a packet nothing else can be said.
    @Test func theBrokerHasOnlyHeardTheEndOfTheStream() throws {
        var bench = try Self.connected()
        _ = bench.bench.session.deviceSent(try Self.longMessage())
        let gone = try bench.outcome(bench.bench.session.deviceClosed())
        try #require(gone.actions.finishesUplink && gone.up.isEmpty)
        _ = bench.bench.session.uplinkEnded()
        #expect(bench.bench.session.isOver && bench.bench.session.afterlife == Self.untold)
    }

    @Test func theBrokerHasGivenItToAnotherClient() throws {
        var bench = try Self.connected()
        _ = try bench.broker(.disconnect(Disconnect(reasonCode: 0x8E)))
        #expect(bench.bench.session.isOver && bench.bench.session.afterlife == nil)
    }

    /// The broker may let in what was given up, and must not keep it for the next connection.
    @Test(arguments: [UInt32?.none, 60])
    func aSessionThatIsTakenOverEndsUnlessTheDeviceAskedForIt(expiry: UInt32?) throws {
        var bench = try HoldBench(.v5_0)
        _ = try bench.bench.device(bench.bench.connect { $0.properties.sessionExpiryInterval = expiry })
        _ = try bench.ready()
        let outcome = try bench.outcome(bench.bench.session.takenOver(byContinuation: false))
        guard case .disconnect(let disconnect)? = outcome.up.first else { throw HoldBench.BenchError.noConnect }
        #expect(disconnect.properties.sessionExpiryInterval == (expiry == nil ? 0 : nil))
    }

    @Test func aWillThatCannotBeReclaimedIsLeftWithItsSession() throws {
        var bench = try Self.connected { Self.will(&$0) }
        _ = try bench.broker(.disconnect(Disconnect(reasonCode: 0x81)))
        _ = bench.bench.session.uplinkUnreachable("no route")
        #expect(bench.bench.session.isOver && bench.bench.session.afterlife == Self.untold)
    }

    /// Without a keepalive, the idle timeout of the connection is what ends the broker's patience.
    @Test func theBrokersKeepAliveCounts() throws {
        for (own, servers, patience) in [(UInt16(0), UInt16?.none, 60), (60, 10, 15), (.max, nil, 3_600)] {
            var connack = Connack()
            connack.properties.serverKeepAlive = servers
            var bench = try Self.connected(connack: connack) { $0.keepAlive = own }
            try bench.lose()
            _ = bench.bench.session.deviceClosed()
            #expect(bench.bench.session.afterlife == .seconds(305 + patience))
        }
    }

    @Test func oneThatWasNeverLetInLeavesNothing() throws {
        for hasSentConnect in [true, false] {
            var bench = try HoldBench(.v5_0)
            _ = try bench.bench.device(bench.bench.connect())
            if hasSentConnect { _ = try bench.ready() }
            try bench.lose()
            #expect(bench.bench.session.isOver && bench.bench.session.afterlife == nil)
        }
    }

    // MARK: Who may find it

    /// The registry after the first session of the client id has ended, as the driver tells it.
    private static func registry(after afterlife: Duration?) -> ClientIDRegistry<Int> {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("dev", by: 1, isBorrowed: true)
        _ = registry.set(.living, of: "dev", 1)
        _ = registry.set(.leaving, of: "dev", 1)
        if let afterlife { registry.leave("dev", 1, for: TimeAmount(afterlife), at: start) }
        _ = registry.release("dev", 1)
        return registry
    }

    @Test(arguments: untoldEnds.indices) func theNextDeviceDoesNotFindIt(_ index: Int) throws {
        var bench = try Self.connected()
        try Self.untoldEnds[index].way(&bench)
        var registry = Self.registry(after: bench.bench.session.afterlife)
        #expect(registry.claim("dev", by: 2, isBorrowed: true) == nil)
        #expect(registry.hasLeftover("dev", at: Self.start + .seconds(290)))
        #expect(!registry.hasLeftover("dev", at: Self.start + .seconds(395)))
        var next = try HoldBench(.v5_0)
        _ = try next.bench.device(next.bench.connect { $0.cleanStart = false })
        next.bench.session.findsNoSession()
        guard case .connect(let connect)? = try next.ready().up.first else { throw HoldBench.BenchError.noConnect }
        #expect(connect.cleanStart)
    }

    /// The second one returns during the outage and is given up. The first one is held until then.
    @Test func oneThatCouldNotConnectMeanwhileChangesNothing() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("dev", by: 1, isBorrowed: true)
        _ = registry.set(.living, of: "dev", 1)
        _ = registry.set(.held, of: "dev", 1)
        #expect(registry.claim("dev", by: 2, isBorrowed: true) == .init(token: 1, phase: .held))
        #expect(registry.hasLeftover("dev", at: Self.start))
        _ = registry.set(.leaving, of: "dev", 1)
        registry.leave("dev", 1, for: .seconds(395), at: Self.start)
        #expect(registry.release("dev", 1) == 2)
        // The third one comes while the second one still waits,
        #expect(registry.claim("dev", by: 3, isBorrowed: true) == .init(token: 2, phase: .connecting))
        #expect(registry.hasLeftover("dev", at: Self.start + .seconds(1)))
        _ = registry.set(.leaving, of: "dev", 2)
        _ = registry.release("dev", 2)
        _ = registry.set(.leaving, of: "dev", 3)
        _ = registry.release("dev", 3)
        // and the fourth one when nobody is there.
        #expect(registry.count == 0)
        #expect(registry.claim("dev", by: 4, isBorrowed: true) == nil)
        #expect(registry.hasLeftover("dev", at: Self.start + .seconds(2)))
    }

    /// The first one is not over yet when the third one comes.
    @Test func allEarlierHoldersAreAsked() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("dev", by: 1, isBorrowed: true)
        _ = registry.set(.living, of: "dev", 1)
        _ = registry.set(.leaving, of: "dev", 1)
        _ = registry.claim("dev", by: 2, isBorrowed: true)
        #expect(registry.claim("dev", by: 3, isBorrowed: true) == .init(token: 2, phase: .connecting))
        #expect(registry.hasLeftover("dev", at: Self.start))
        // Nothing is known yet about the second one, which the broker has not let in.
        _ = registry.release("dev", 1)
        #expect(!registry.hasLeftover("dev", at: Self.start))
    }

    @Test func aPassedOneIsStillAtTheBroker() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("dev", by: 1, isBorrowed: true)
        _ = registry.set(.living, of: "dev", 1)
        _ = registry.claim("dev", by: 2, isBorrowed: true)
        #expect(registry.pass("dev", 1) == 2)
        _ = registry.claim("dev", by: 3, isBorrowed: true)
        #expect(registry.hasLeftover("dev", at: Self.start))
        registry.leave("dev", 1, for: .seconds(395), at: Self.start)
        _ = registry.release("dev", 1)
        #expect(registry.hasLeftover("dev", at: Self.start))
    }

    // MARK: What a genuine session ends

    /// The device connects with a session expiry of its own, leaves, and returns to the session that it asked for.
    @Test(arguments: [3, 395]) func aSessionThatTheDeviceAskedForIsFound(seconds: Int64) {
        var registry = Self.registry(after: .seconds(seconds))
        _ = registry.claim("dev", by: 2)
        #expect(registry.hasLeftover("dev", at: Self.start))
        _ = registry.set(.living, of: "dev", 2)
        _ = registry.set(.leaving, of: "dev", 2)
        _ = registry.release("dev", 2)
        _ = registry.claim("dev", by: 3)
        #expect(!registry.hasLeftover("dev", at: Self.start))
    }

    /// The end of the first one takes longer than the whole second session.
    @Test(arguments: [true, false]) func aLateEndDoesNotCount(isPassed: Bool) {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("dev", by: 1, isBorrowed: true)
        _ = registry.set(.living, of: "dev", 1)
        _ = registry.claim("dev", by: 2)
        if isPassed { #expect(registry.pass("dev", 1) == 2) }
        _ = registry.set(.living, of: "dev", 2)
        _ = registry.set(.leaving, of: "dev", 2)
        _ = registry.release("dev", 2)
        _ = registry.set(.leaving, of: "dev", 1)
        registry.leave("dev", 1, for: .seconds(395), at: Self.start)
        _ = registry.release("dev", 1)
        _ = registry.claim("dev", by: 3)
        #expect(!registry.hasLeftover("dev", at: Self.start))
    }

    /// An end behind an unanswered CONNECT has the broker keep the session for a second.
    @Test func oneThatTheBrokerMayHaveLetInCounts() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("dev", by: 1, isBorrowed: true)
        _ = registry.set(.unanswered, of: "dev", 1)
        registry.leave("dev", 1, for: .seconds(3), at: Self.start)
        _ = registry.claim("dev", by: 2, isBorrowed: true)
        #expect(registry.hasLeftover("dev", at: Self.start + .seconds(10)))
        _ = registry.release("dev", 1)
        #expect(registry.hasLeftover("dev", at: Self.start + .seconds(2)))
        #expect(!registry.hasLeftover("dev", at: Self.start + .seconds(3)))
    }

    /// The device of the first one is ended by the broker, which has let the second one in meanwhile.
    @Test func oneThatMustNotReturnDoesNotCount() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("dev", by: 1, isBorrowed: true)
        _ = registry.set(.living, of: "dev", 1)
        _ = registry.claim("dev", by: 2)
        _ = registry.set(.living, of: "dev", 2)
        #expect(registry.set(.unanswered, of: "dev", 1) == false)
        registry.leave("dev", 1, for: .seconds(395), at: Self.start)
        _ = registry.release("dev", 1)
        _ = registry.release("dev", 2)
        _ = registry.claim("dev", by: 3)
        #expect(!registry.hasLeftover("dev", at: Self.start))
    }
}

import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// One session fed with packets, its actions collected as short words.
struct SessionBench {
    var session: Session
    let version: MQTTVersion
    /// What the session is told of its client id.
    var clientIDWait = ClientIDWait.none

    init(
        _ version: MQTTVersion = .v3_1_1, routes: [Route] = [], unrouted: UnroutedPolicy = .reject,
        auth: AuthConfiguration = AuthConfiguration(), packetSize: Int = 10_000_000, hold: HoldPolicy? = nil,
        overLimit: String? = nil
    ) throws {
        self.version = version
        session = Session(
            context: SessionContext(
                routes: try RoutingTable(routes: routes, unrouted: unrouted), identities: try IdentityMapper(auth),
                maximumPacketSize: packetSize, connectWithin: .seconds(5), connectTimeout: .seconds(5),
                listener: "lan", peer: "192.0.2.7", makeClientID: { "mqb0123456789abcdef" }, hold: hold,
                overLimit: overLimit))
    }

    func element(_ packet: Packet) throws -> FrameDecoder.Element {
        .packet(try Frame(packet: try packet.encode(version: version), version: version))
    }

    mutating func device(_ packet: Packet) throws -> [SessionAction] {
        let actions = session.deviceSent(try element(packet))
        guard actions.takesClientID else { return actions }
        return actions + session.clientIDTaken(clientIDWait)
    }

    mutating func broker(_ packet: Packet) throws -> [SessionAction] {
        session.uplinkSent(try element(packet))
    }

    func connect(_ change: (inout Connect) -> Void = { _ in }) -> Packet {
        var connect = Connect(version: version, clientID: "dev")
        change(&connect)
        return .connect(connect)
    }

    /// Brings the session to `connected`.
    mutating func establish(_ change: (inout Connect) -> Void = { _ in }) throws {
        _ = try device(connect(change))
        _ = session.uplinkReady()
        _ = try broker(.connack(Connack(sessionPresent: false, code: 0)))
        #expect(session.acceptsDeviceInput)
    }
}

extension [SessionAction] {
    var toUplink: [ByteBuffer] { compactMap { if case .sendToUplink(let bytes) = $0 { bytes } else { nil } } }
    var toDevice: [ByteBuffer] { compactMap { if case .sendToDevice(let bytes) = $0 { bytes } else { nil } } }
    var end: SessionEnd? { lazy.compactMap { if case .ended(let why) = $0 { why } else { nil } }.first }
    var closesDevice: Bool { contains { if case .closeDevice = $0 { true } else { false } } }
    var finishesUplink: Bool { contains { if case .finishUplink = $0 { true } else { false } } }
    var closesUplink: Bool { contains { if case .closeUplink = $0 { true } else { false } } }
    var takesClientID: Bool { contains { if case .takeClientID = $0 { true } else { false } } }
    var opensUplink: Bool { contains { if case .openUplink = $0 { true } else { false } } }
}

@Suite struct SessionTests {
    // MARK: CONNECT to CONNACK

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0])
    func connectPassesUnchanged(_ version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        let packet = bench.connect {
            $0.username = "u"
            $0.password = ByteBuffer(string: "p")
        }
        let actions = try bench.device(packet)
        #expect(actions.opensUplink)
        #expect(!bench.session.acceptsDeviceInput)
        #expect(bench.session.uplinkReady().toUplink == [try packet.encode(version: version)])
    }

    @Test func connackPassesAndKeepAliveStarts() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect { $0.keepAlive = 10 })
        _ = bench.session.uplinkReady()
        let connack = Packet.connack(Connack(sessionPresent: true, code: 0))
        let actions = try bench.broker(connack)
        #expect(actions.toDevice == [try connack.encode(version: .v3_1_1)])
        #expect(
            actions.contains { if case .connected(let idleLimit) = $0 { idleLimit == .seconds(15) } else { false } })
    }

    @Test func serverKeepAliveWins() throws {
        var bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect { $0.keepAlive = 10 })
        _ = bench.session.uplinkReady()
        var connack = Connack(sessionPresent: false, code: 0)
        connack.properties.serverKeepAlive = 4
        let actions = try bench.broker(.connack(connack))
        #expect(actions.contains { if case .connected(let idleLimit) = $0 { idleLimit == .seconds(6) } else { false } })
    }

    @Test(arguments: [(MQTTVersion.v3_1_1, UInt8(5)), (.v5_0, 0x87)])
    func refusalIsPassedOn(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try SessionBench(version)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        let connack = Packet.connack(Connack(sessionPresent: false, code: code))
        let actions = try bench.broker(connack)
        #expect(actions.toDevice == [try connack.encode(version: version)])
        #expect(actions.end == .refusedByBroker(code: code))
        #expect(actions.closesDevice && actions.finishesUplink)
    }

    @Test(arguments: [(MQTTVersion.v3_1, UInt8(3)), (.v3_1_1, 3), (.v5_0, 0x88)])
    func unreachableIsACONNACK(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try SessionBench(version)
        _ = try bench.device(bench.connect())
        let actions = bench.session.uplinkUnreachable("no answer")
        let frame = try Frame(packet: try #require(actions.toDevice.first), version: version)
        let connack = try Connack.decode(frame, version: version)
        #expect(connack.code == code)
        if version == .v5_0 { #expect(connack.properties.reasonString?.contains("no answer") == true) }
        #expect(actions.closesDevice)
        #expect(bench.session.isOver)
    }

    @Test func theConnectTimeoutSaysWhatItWaitedFor() throws {
        var bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect())
        #expect("\(try #require(bench.session.timedOut(.uplinkConnect).end))".contains("no QUIC connection"))
        bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        #expect("\(try #require(bench.session.timedOut(.uplinkConnect).end))".contains("CONNACK"))
    }

    @Test func overALimitTheRefusalSaysWhich() throws {
        var bench = try SessionBench(.v5_0, overLimit: "2 devices are connected (limits.devices)")
        let actions = try bench.device(bench.connect())
        let frame = try Frame(packet: try #require(actions.toDevice.first), version: .v5_0)
        let connack = try Connack.decode(frame, version: .v5_0)
        #expect(connack.code == 0x97)
        #expect(connack.properties.reasonString?.contains("limits.devices") == true)
        #expect(!actions.opensUplink && actions.closesDevice)
    }

    /// Where a rule needs to know who the device is; else it is the broker's to answer.
    @Test func anUnknownVersionIsAnsweredWithReturnCodeOne() throws {
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "a/#")])
        let bytes = ByteBuffer(bytes: [0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 9, 2, 0, 60, 0, 1, 0x61])
        let actions = bench.session.deviceSent(.packet(try Frame(packet: bytes, version: nil)))
        #expect(actions.toDevice == [ByteBuffer(bytes: [0x20, 2, 0, 1])])
        #expect(actions.closesDevice)
    }

    @Test func noConnectInTime() throws {
        var bench = try SessionBench()
        let actions = bench.session.timedOut(.connectPacket)
        #expect(actions.end == .noConnectPacket)
        #expect(actions.closesDevice && bench.session.isOver)
    }

    // MARK: Identity

    @Test func injectedIdentity() throws {
        let identity = AuthConfiguration.IdentityTemplate(
            clientID: "gw-${clientid}", username: "site", password: Secret("p#1"))
        var bench = try SessionBench(auth: AuthConfiguration(mode: .inject, identity: identity))
        _ = try bench.device(bench.connect())
        let frame = try Frame(packet: try #require(bench.session.uplinkReady().toUplink.first), version: .v3_1_1)
        let connect = try Connect.decode(frame)
        #expect(connect.clientID == "gw-dev" && connect.username == "site")
        #expect(connect.password == ByteBuffer(string: "p#1"))
    }

    @Test func anOverrideForOneDevice() throws {
        let override = AuthConfiguration.Override(
            match: .clientID("dev"), identity: .init(username: "special", password: Secret("x")))
        var bench = try SessionBench(auth: AuthConfiguration(overrides: [override]))
        _ = try bench.device(bench.connect())
        let frame = try Frame(packet: try #require(bench.session.uplinkReady().toUplink.first), version: .v3_1_1)
        #expect(try Connect.decode(frame).username == "special")
    }

    @Test func aRouteThatNeedsAClientIDGetsOne() throws {
        let routes = [Route(local: "#", remote: "d/${clientid}/#")]
        var bench = try SessionBench(.v5_0, routes: routes)
        _ = try bench.device(bench.connect { $0.clientID = "" })
        let frame = try Frame(packet: try #require(bench.session.uplinkReady().toUplink.first), version: .v5_0)
        #expect(try Connect.decode(frame).clientID == "mqb0123456789abcdef")
        let actions = try bench.broker(.connack(Connack(sessionPresent: false, code: 0)))
        let connack = try Connack.decode(
            try Frame(packet: try #require(actions.toDevice.first), version: .v5_0), version: .v5_0)
        #expect(connack.properties.assignedClientIdentifier == "mqb0123456789abcdef")
    }

    @Test(arguments: ["a/b", "a+b", "#", ""])
    func aValueThatWouldBreakARouteIsRefused(_ username: String) throws {
        let routes = [Route(local: "#", remote: "d/${username}/#")]
        var bench = try SessionBench(.v5_0, routes: routes)
        let actions = try bench.device(bench.connect { $0.username = username })
        guard case .notAllowed = actions.end else {
            Issue.record("not refused: \(actions)")
            return
        }
        let frame = try Frame(packet: try #require(actions.toDevice.first), version: .v5_0)
        #expect(try Connack.decode(frame, version: .v5_0).code == 0x87)
        #expect(!actions.opensUplink && actions.closesDevice)
    }

    // MARK: Ends

    @Test func disconnectPassesAndFinishes() throws {
        var bench = try SessionBench()
        try bench.establish()
        let actions = try bench.device(.disconnect(Disconnect()))
        #expect(actions.toUplink == [ByteBuffer(bytes: [0xE0, 0])])
        #expect(actions.finishesUplink && !actions.closesDevice)
        #expect(actions.end == .deviceDisconnected)
        #expect(!bench.session.isOver)
        let ended = bench.session.uplinkEnded()
        #expect(ended.closesUplink && ended.closesDevice && ended.toDevice.isEmpty)
        #expect(bench.session.isOver)
    }

    @Test func aVanishedDeviceIsAFINWithoutDISCONNECT() throws {
        var bench = try SessionBench()
        try bench.establish()
        let actions = bench.session.deviceClosed()
        #expect(actions.toUplink.isEmpty && actions.finishesUplink)
        #expect(actions.end == .deviceVanished)
    }

    @Test func aDeviceThatLeavesBeforeItsConnectWentOutCostsTheBrokerNothing() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        let actions = bench.session.deviceClosed()
        #expect(actions.closesUplink && !actions.finishesUplink)
        #expect(bench.session.isOver)
    }

    @Test func theGoodbyeEnds() throws {
        var bench = try SessionBench()
        try bench.establish()
        _ = bench.session.deviceClosed()
        #expect(bench.session.timedOut(.goodbye).closesUplink)
        #expect(bench.session.isOver)
    }

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func keepAliveExpiry(_ version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        try bench.establish { $0.keepAlive = 5 }
        let actions = bench.session.timedOut(.keepAlive)
        #expect(actions.end == .keepAliveExpired)
        #expect(actions.finishesUplink && actions.toUplink.isEmpty && actions.closesDevice)
        #expect(actions.toDevice.isEmpty == (version != .v5_0))
    }

    @Test func theBrokersDisconnectReachesTheDeviceAsItIs() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        let takenOver = Packet.disconnect(Disconnect(reasonCode: 0x8E))
        let actions = try bench.broker(takenOver)
        #expect(actions.toDevice == [try takenOver.encode(version: .v5_0)])
        #expect(actions.end == .brokerDisconnected(code: 0x8E))
        #expect(actions.closesDevice && actions.closesUplink)
    }

    @Test func theBrokersFINClosesTheDevice() throws {
        var bench = try SessionBench()
        try bench.establish()
        let actions = bench.session.uplinkEnded()
        #expect(actions.end == .brokerClosed)
        #expect(actions.closesDevice && actions.closesUplink)
        #expect(bench.session.isOver)
    }

    @Test(arguments: [
        (UplinkLoss.byBroker(reasonCode: nil, description: ""), UInt8?.none),
        (.byBroker(reasonCode: 0x8E, description: ""), 0x8E), (.network(description: "idle"), 0x80),
    ])
    func lossTellsFive(_ loss: UplinkLoss, _ code: UInt8?) throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        let actions = bench.session.uplinkLost(loss)
        let said = try actions.toDevice.first.map {
            try Disconnect.decode(try Frame(packet: $0, version: .v5_0), version: .v5_0).reasonCode
        }
        #expect(said == code)
        #expect(actions.closesDevice && bench.session.isOver)
    }

    @Test func shutdownTellsBothSides() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        let actions = bench.session.shutDown()
        let toDevice = try Frame(packet: try #require(actions.toDevice.first), version: .v5_0)
        #expect(try Disconnect.decode(toDevice, version: .v5_0).reasonCode == 0x8B)
        let toUplink = try Frame(packet: try #require(actions.toUplink.first), version: .v5_0)
        #expect(toUplink.type == .disconnect)
        #expect(actions.finishesUplink && actions.closesDevice)
    }

    // MARK: Violations

    @Test func theFirstPacketHasToBeCONNECT() throws {
        var bench = try SessionBench()
        let actions = try bench.device(.pingreq)
        #expect(actions.closesDevice && actions.toDevice.isEmpty && bench.session.isOver)
    }

    @Test(arguments: [("\u{16}\u{03}\u{01}", "TLS"), ("GET / HTTP/1.1", "HTTP"), ("PROXY TCP4 ", "PROXY")])
    func whatIsNoMQTTIsNamed(_ start: String, _ name: String) throws {
        var bench = try SessionBench()
        let error = MQTTError(.malformed, clause: "[MQTT-2.2.2-2]", message: "reserved")
        let actions = bench.session.deviceMisbehaved(error, start: ByteBuffer(string: start))
        #expect("\(try #require(actions.end))".contains(name))
        #expect(actions.closesDevice && bench.session.isOver)
    }

    @Test func aBrokerThatTalksBeforeConnack() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        let actions = try bench.broker(.pingresp)
        guard case .brokerViolation = actions.end else {
            Issue.record("accepted: \(actions)")
            return
        }
        #expect(actions.toDevice == [ByteBuffer(bytes: [0x20, 2, 0, 3])])
        #expect(actions.closesUplink)
    }

    @Test func enhancedAuthenticationPasses() throws {
        var bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        var auth = Auth(reasonCode: 0x18)
        auth.properties.authenticationMethod = "SCRAM"
        #expect(try bench.broker(.auth(auth)).toDevice.count == 1)
        #expect(bench.session.acceptsDeviceInput)
        #expect(try bench.device(.auth(auth)).toUplink.count == 1)
        #expect(try bench.broker(.connack(Connack(sessionPresent: false, code: 0))).toDevice.count == 1)
    }

    @Test func aDeviceThatGivesUpItsAuthenticationIsToldNothing() throws {
        var bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        _ = try bench.broker(.auth(Auth(reasonCode: 0x18)))
        let actions = try bench.device(.disconnect(Disconnect()))
        #expect(actions.toDevice.isEmpty && actions.closesDevice)
        #expect(actions.toUplink.count == 1 && actions.finishesUplink)
    }

    // MARK: Long packets

    private func streamed(_ topic: String, _ qos: QoS, _ id: UInt16?, _ version: MQTTVersion) throws
        -> FrameDecoder.Element
    {
        let publish = PublishHead(qos: qos, topic: topic, packetID: id)
        let head = try publish.encode(version: version, payloadLength: 100_000)
        return .publishBegin(
            StreamedPublish(head: head, flags: UInt8(qos.rawValue << 1), publish: publish, payloadLength: 100_000))
    }

    @Test func ourOwnPacketsWaitForTheEndOfALongOne() throws {
        // Dropped publishes of the device are acknowledged by the bridge, but not into the middle of a delivery.
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "a/#")], unrouted: .drop)
        try bench.establish()
        #expect(bench.session.uplinkSent(try streamed("a/x", .atMostOnce, nil, .v3_1_1)).toDevice.count == 1)
        let dropped = Packet.publish(
            PublishHead(qos: .atLeastOnce, topic: "elsewhere", packetID: 7), payload: ByteBuffer(string: "x"))
        #expect(try bench.device(dropped).toDevice.isEmpty)
        let piece = ByteBuffer(string: "piece")
        #expect(bench.session.uplinkSent(.payload(piece, isLast: false)).toDevice == [piece])
        let last = bench.session.uplinkSent(.payload(piece, isLast: true)).toDevice
        #expect(last == [piece, ByteBuffer(bytes: [0x40, 2, 0, 7])])
    }

    /// A device that sends without reading its long message is not answered without bound.
    @Test func answersThatWaitAreBounded() throws {
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "a/#")], unrouted: .drop)
        try bench.establish()
        _ = bench.session.uplinkSent(try streamed("a/x", .atMostOnce, nil, .v3_1_1))
        let dropped = Packet.publish(
            PublishHead(qos: .atLeastOnce, topic: "elsewhere", packetID: 7), payload: ByteBuffer(string: "x"))
        var count = 0
        while bench.session.acceptsDeviceInput, count < 100_000 {
            _ = try bench.device(dropped)
            count += 1
        }
        #expect(count == PacketStream.maximumHeld)
        let last = bench.session.uplinkSent(.payload(ByteBuffer(string: "x"), isLast: true))
        #expect(last.toDevice.count == count + 1 && bench.session.acceptsDeviceInput)
    }

    @Test func aDroppedLongPublishIsAcknowledgedAtItsEnd() throws {
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "a/#")], unrouted: .drop)
        try bench.establish()
        #expect(bench.session.deviceSent(try streamed("elsewhere", .atLeastOnce, 9, .v3_1_1)).isEmpty)
        let piece = ByteBuffer(string: "piece")
        #expect(bench.session.deviceSent(.payload(piece, isLast: false)).toUplink.isEmpty)
        let last = bench.session.deviceSent(.payload(piece, isLast: true))
        #expect(last.toUplink.isEmpty)
        #expect(last.toDevice == [ByteBuffer(bytes: [0x40, 2, 0, 9])])
    }

    @Test func shutdownInsideALongPacketSaysNothingThatWouldLandInIt() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        _ = bench.session.deviceSent(try streamed("a", .atMostOnce, nil, .v5_0))
        _ = bench.session.uplinkSent(try streamed("a", .atMostOnce, nil, .v5_0))
        let actions = bench.session.shutDown()
        #expect(actions.toUplink.isEmpty && actions.toDevice.isEmpty)
        #expect(actions.finishesUplink && actions.closesDevice)
    }
}

import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

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

    /// The bridge refuses if a rule needs to know who the device is; otherwise the broker answers.
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
}

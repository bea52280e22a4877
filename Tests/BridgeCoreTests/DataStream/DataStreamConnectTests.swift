import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// From CONNECT to CONNACK.
@Suite struct DataStreamConnectTests {
    @Test(arguments: [(MQTTVersion.v3_1, MQTTVersion.v3_1_1), (.v3_1_1, .v3_1_1), (.v5_0, .v5_0)])
    func connackComesOnceTheStreamIsThere(_ version: MQTTVersion, _ stream: MQTTVersion) throws {
        var bench = try DataStreamBench(version)
        #expect(bench.session.started().started == [.connectPacket])
        let asked = try bench.device(bench.connect { $0.keepAlive = 10 })
        #expect(asked.stopped == [.connectPacket] && asked.started == [.uplinkConnect])
        #expect(asked.claims == "dev clean" && asked.opensDataStream == stream)
        // The answer may come while the action is performed.
        if case .openDataStream = asked.last {} else { Issue.record("not the last: \(asked)") }
        #expect(asked.toDevice.isEmpty && asked.toUplink.isEmpty && !bench.session.acceptsDeviceInput)
        let ready = bench.session.uplinkReady(GatewayLimits())
        #expect(try bench.connack(ready).code == 0)
        #expect(ready.idleLimit == .seconds(15))
        #expect(ready.stopped == [.uplinkConnect] && ready.toUplink.isEmpty && ready.notes.isEmpty)
        #expect(bench.session.acceptsDeviceInput && bench.session.acceptsUplinkInput)
    }

    @Test func noKeepAliveIsNoSilence() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect())
        #expect(bench.session.uplinkReady(GatewayLimits()).idleLimit == .some(nil))
    }

    // MARK: Who may

    @Test func thePasswordIsChecked() throws {
        var bench = try DataStreamBench(allowsAnonymous: false)
        let asked = try bench.device(
            bench.connect {
                $0.username = "alice"
                $0.password = ByteBuffer(string: "secret")
            })
        let asks = try #require(asked.authenticates)
        #expect(asks.username == "alice" && asks.password == "secret")
        if case .authenticate = asked.last {} else { Issue.record("not the last: \(asked)") }
        #expect(asked.opensDataStream == nil && asked.claims == nil && !bench.session.acceptsDeviceInput)
        let admitted = bench.session.authenticated(true)
        #expect(admitted.claims == "dev clean" && admitted.opensDataStream == .v5_0)
    }

    @Test(arguments: [(MQTTVersion.v3_1, UInt8(4)), (.v3_1_1, 4), (.v5_0, 0x86)])
    func aWrongPassword(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try DataStreamBench(version)
        _ = try bench.device(bench.connect { $0.username = "alice" })
        let actions = bench.session.authenticated(false)
        #expect(try bench.connack(actions).code == code)
        #expect(actions.end == .badCredentials && actions.closesDevice && bench.session.isOver)
        #expect(actions.claims == nil && actions.stopped == [.uplinkConnect])
    }

    @Test(arguments: [(MQTTVersion.v3_1_1, UInt8(5)), (.v5_0, 0x87)])
    func anonymousWhereItIsNotAllowed(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try DataStreamBench(version, allowsAnonymous: false)
        let actions = try bench.device(bench.connect())
        #expect(try bench.connack(actions).code == code)
        #expect(actions.closesDevice && bench.session.isOver && actions.authenticates == nil)
    }

    @Test func aDeviceThatLeavesWhileItsPasswordIsChecked() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect { $0.username = "alice" })
        let actions = bench.session.deviceClosed()
        #expect(actions.end == .deviceVanished && bench.session.isOver && !actions.closesUplink)
        #expect(bench.session.authenticated(true).isEmpty)
    }

    @Test func aCheckThatTakesTooLong() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect { $0.username = "alice" })
        let actions = bench.session.timedOut(.uplinkConnect)
        #expect(try bench.connack(actions).code == 0x88)
        #expect(bench.session.isOver)
    }

    // MARK: What is refused

    private static let versions: [(GatewayIdentity.Version, MQTTVersion, UInt8?)] = [
        (.any, .v3_1, nil), (.any, .v3_1_1, nil), (.any, .v5_0, nil),
        (.v3_1_1, .v3_1, nil), (.v3_1_1, .v3_1_1, nil), (.v3_1_1, .v5_0, 0x84),
        (.v5_0, .v3_1, 1), (.v5_0, .v3_1_1, 1), (.v5_0, .v5_0, nil),
    ]

    @Test(arguments: versions.indices)
    func versionsThatTheGatewayHasNoSessionFor(_ index: Int) throws {
        let (versions, version, code) = Self.versions[index]
        var bench = try DataStreamBench(version, versions: versions)
        let actions = try bench.device(bench.connect())
        guard let code else {
            #expect(actions.opensDataStream != nil)
            return
        }
        let connack = try bench.connack(actions)
        #expect(connack.code == code && actions.closesDevice && bench.session.isOver)
        #expect("\(try #require(actions.end))".contains("uplink.identity.version"))
        if version == .v5_0 { #expect(connack.properties.reasonString?.contains("MQTT 3.1.1") == true) }
    }

    private static let clientIDs: [(MQTTVersion, isClean: Bool, refusal: UInt8?)] = [
        (.v3_1, true, 2), (.v3_1_1, true, nil), (.v3_1_1, false, 2), (.v5_0, true, nil), (.v5_0, false, nil),
    ]

    @Test(arguments: clientIDs.indices)
    func noClientID(_ index: Int) throws {
        let (version, isClean, refusal) = Self.clientIDs[index]
        var bench = try DataStreamBench(version)
        let actions = try bench.device(
            bench.connect {
                $0.clientID = ""
                $0.cleanStart = isClean
            })
        guard refusal == nil else {
            #expect(try bench.connack(actions).code == refusal)
            return
        }
        #expect(actions.claims?.hasPrefix("mqb0123456789abcdef") == true)
        let connack = try bench.connack(bench.session.uplinkReady(GatewayLimits()))
        #expect(
            connack.properties.assignedClientIdentifier == (version == .v5_0 ? "mqb0123456789abcdef" : nil))
    }

    @Test func enhancedAuthentication() throws {
        var bench = try DataStreamBench()
        let actions = try bench.device(bench.connect { $0.properties.authenticationMethod = "SCRAM-SHA-1" })
        #expect(try bench.connack(actions).code == 0x8C)
        #expect(bench.session.isOver)
    }

    @Test(arguments: [(MQTTVersion.v3_1_1, UInt8(3)), (.v5_0, 0x97)])
    func overALimit(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try DataStreamBench(version, overLimit: "2 devices are connected (limits.devices)")
        let actions = try bench.device(bench.connect())
        #expect(try bench.connack(actions).code == code)
        #expect("\(try #require(actions.end))".contains("limits.devices"))
    }

    @Test func anUnknownVersion() throws {
        var bench = try DataStreamBench()
        let bytes = ByteBuffer(bytes: [0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 9, 2, 0, 60, 0, 1, 0x61])
        let actions = bench.session.deviceSent(.packet(try Frame(packet: bytes, version: nil)))
        #expect(actions.toDevice == [ByteBuffer(bytes: [0x20, 2, 0, 1])] && actions.closesDevice)
    }

    @Test(arguments: ["a/b", "+", "#"])
    func aUserNameThatWouldBreakARoute(_ username: String) throws {
        var bench = try DataStreamBench(routes: [Route(local: "#", remote: "d/${username}/#")])
        _ = try bench.device(bench.connect { $0.username = username })
        let actions = bench.session.authenticated(true)
        #expect(try bench.connack(actions).code == 0x87)
        #expect(actions.claims == nil && actions.stopped.contains(.uplinkConnect) && bench.session.isOver)
    }

    @Test(arguments: [(MQTTVersion.v3_1_1, UInt8(3)), (.v5_0, 0x88)])
    func noStreamToBeHad(_ version: MQTTVersion, _ code: UInt8) throws {
        for lost in [false, true] {
            var bench = try DataStreamBench(version)
            _ = try bench.device(bench.connect())
            // A refusal of the gateway says nothing about the device, whose password may be right.
            let actions =
                lost
                ? bench.session.uplinkLost(.byBroker(reasonCode: 0x86, description: "refused"))
                : bench.session.uplinkUnreachable("the gateway session was refused")
            #expect(try bench.connack(actions).code == code)
            #expect(actions.closesDevice && !actions.closesUplink && bench.session.isOver)
        }
    }

    @Test func noStreamInTime() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect())
        let actions = bench.session.timedOut(.uplinkConnect, detail: "10 streams are open")
        #expect("\(try #require(actions.end))".contains("10 streams are open"))
        #expect(try bench.connack(actions).code == 0x88)
        #expect(actions.closesUplink && bench.session.isOver)
    }

    @Test func aDeviceThatLeavesBeforeItsStreamIsThere() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect { $0.will = Will(topic: "gone") })
        let actions = bench.session.deviceClosed()
        #expect(actions.closesUplink && actions.toUplink.isEmpty && bench.session.isOver)
        #expect(bench.session.uplinkReady(GatewayLimits()).isEmpty)
    }

    // MARK: What the device is told

    @Test func theLimitsThatApply() throws {
        var limits = GatewayLimits()
        limits.maximumQoS = .atLeastOnce
        limits.isRetainAvailable = false
        limits.areWildcardsAvailable = false
        limits.areSubscriptionIdentifiersAvailable = false
        limits.areSharedSubscriptionsAvailable = false
        limits.receiveMaximum = 32
        limits.maximumPacketSize = 1_048_576
        var bench = try DataStreamBench(packetSize: 2_000_000)
        let connack = try bench.establish(limits)
        let properties = connack.properties
        #expect(!connack.sessionPresent && connack.code == 0)
        #expect(properties.maximumQoS == .atLeastOnce && properties.retainAvailable == false)
        #expect(properties.receiveMaximum == 32 && properties.maximumPacketSize == 1_048_576)
        #expect(properties.wildcardSubscriptionAvailable == false)
        #expect(properties.subscriptionIdentifiersAvailable == false)
        #expect(properties.sharedSubscriptionAvailable == false)
        #expect(properties.topicAliasMaximum == nil && properties.sessionExpiryInterval == nil)
        #expect(properties.serverKeepAlive == nil && properties.assignedClientIdentifier == nil)
    }

    @Test func theBridgesOwnPacketSizeWhereItIsSmaller() throws {
        var bench = try DataStreamBench(packetSize: 1_000)
        let connack = try bench.establish()
        #expect(connack.properties.list == [.maximumPacketSize(1_000)])
    }

    @Test func noPacketSizeThatLimitsNothing() throws {
        for (own, told) in [(268_435_455, UInt32?(268_435_455)), (268_435_459, 268_435_455), (268_435_460, nil)] {
            var bench = try DataStreamBench(packetSize: own)
            #expect(try bench.establish().properties.maximumPacketSize == told)
            var limits = GatewayLimits()
            limits.maximumPacketSize = 1_048_576
            bench = try DataStreamBench(packetSize: own)
            #expect(try bench.establish(limits).properties.maximumPacketSize == 1_048_576)
        }
    }

    @Test func limitsOfAConnackAreTheDevices() throws {
        var connack = Connack()
        connack.properties = [
            .maximumQoS(.atMostOnce), .retainAvailable(false), .receiveMaximum(7), .maximumPacketSize(9),
            .wildcardSubscriptionAvailable(false), .subscriptionIdentifiersAvailable(false),
            .sharedSubscriptionAvailable(false), .serverKeepAlive(5), .topicAliasMaximum(3),
        ]
        let told = Properties(GatewayLimits(connack))
        #expect(told.list.count == 7 && told.serverKeepAlive == nil && told.topicAliasMaximum == nil)
        #expect(Properties(GatewayLimits()).isEmpty)
    }

    private static let sessions: [(MQTTVersion, isClean: Bool, expiry: UInt32?, isNoted: Bool)] = [
        (.v3_1_1, true, nil, false), (.v3_1_1, false, nil, true), (.v3_1, false, nil, true),
        (.v5_0, true, nil, false), (.v5_0, false, nil, false), (.v5_0, false, 0, false), (.v5_0, true, 60, true),
        (.v5_0, false, .max, true),
    ]

    @Test(arguments: sessions.indices)
    func aSessionThatIsNotKept(_ index: Int) throws {
        let (version, isClean, expiry, isNoted) = Self.sessions[index]
        var bench = try DataStreamBench(version)
        let asked = try bench.device(
            bench.connect {
                $0.cleanStart = isClean
                $0.properties.sessionExpiryInterval = expiry
            })
        #expect(asked.claims == (isClean ? "dev clean" : "dev"))
        let actions = bench.session.uplinkReady(GatewayLimits())
        let connack = try bench.connack(actions)
        #expect(!connack.sessionPresent)
        #expect(connack.properties.sessionExpiryInterval == (version == .v5_0 && isNoted ? 0 : nil))
        #expect(actions.notes == (isNoted ? [.sessionNotKept] : []))
    }

    @Test func theWordsOfARefusalThatDoNotFitAreLeftOut() throws {
        var bench = try DataStreamBench(allowsAnonymous: false)
        let actions = try bench.device(bench.connect { $0.properties.maximumPacketSize = 20 })
        #expect(actions.toDevice == [ByteBuffer(bytes: [0x20, 3, 0, 0x87, 0])])
    }

    @Test func aDeviceThatTakesNotEvenAConnack() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect { $0.properties.maximumPacketSize = 5 })
        let actions = bench.session.uplinkReady(GatewayLimits())
        #expect(actions.closesDevice && actions.closesUplink && bench.session.isOver)
        // A refusal with the reason as text does not fit either.
        #expect(actions.toDevice.allSatisfy { $0.readableBytes <= 5 })
    }
}

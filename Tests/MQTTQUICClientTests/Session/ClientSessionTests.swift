import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

struct ClientSessionTests {
    @Test("CONNECT says what the configuration says")
    func connect() throws {
        var configuration = MQTTClientConfiguration.test
        configuration.credentials = .init(username: "u", password: "p#%$!")
        configuration.keepAlive = .milliseconds(1500)
        configuration.will = MQTTWill(MQTTMessage("w", "gone", .exactlyOnce), delay: .seconds(9))
        configuration.userProperties = [MQTTUserProperty("a", "b")]
        configuration.receiveMaximum = 7
        var session = ClientSession(configuration)
        let bytes = try session.connectPacket(isReconnect: false)
        guard case .connect(let connect)? = try packets(bytes).first else {
            Issue.record("not CONNECT")
            return
        }
        #expect(connect.clientID == "c")
        #expect(connect.cleanStart)
        #expect(connect.keepAlive == 2)
        #expect(connect.username == "u")
        #expect(connect.password == ByteBuffer(string: "p#%$!"))
        #expect(connect.properties.sessionExpiryInterval == 300)
        #expect(connect.properties.receiveMaximum == 7)
        #expect(connect.properties.publicUserProperties == configuration.userProperties)
        #expect(connect.will?.qos == .exactlyOnce)
        #expect(connect.will?.properties.willDelayInterval == 9)
    }

    @Test(
        "A reconnect goes on with a session that outlives connections, and only with such a one",
        arguments: [
            (MQTTQUICClient.MQTTVersion.v5_0, Duration.seconds(1), true, false), (.v5_0, .zero, false, true),
            (.v3_1_1, .zero, false, false), (.v3_1_1, .zero, true, true),
        ])
    func cleanStart(version: MQTTQUICClient.MQTTVersion, expiry: Duration, cleanStart: Bool, again: Bool) throws {
        var configuration = MQTTClientConfiguration(host: "h", clientID: "c")
        configuration.version = version
        configuration.sessionExpiry = expiry
        configuration.cleanStart = cleanStart
        var session = ClientSession(configuration)
        for (isReconnect, expected) in [(false, cleanStart), (true, again)] {
            let bytes = try session.connectPacket(isReconnect: isReconnect)
            guard case .connect(let connect)? = try packets(bytes).first else {
                Issue.record("not CONNECT")
                return
            }
            #expect(connect.cleanStart == expected)
        }
    }

    @Test("CONNACK's limits and assigned identifier are told and kept")
    func connack() throws {
        var session = ClientSession(MQTTClientConfiguration(host: "h"))
        _ = try session.connectPacket(isReconnect: false)
        let connack = Connack(properties: [
            .assignedClientIdentifier("auto-1"), .serverKeepAlive(7), .maximumQoS(.atLeastOnce),
            .retainAvailable(false), .receiveMaximum(3), .maximumPacketSize(99),
        ])
        guard case .connected(let facts)? = session.received(.connack(connack), on: .control).first else {
            Issue.record("not connected")
            return
        }
        #expect(facts.clientID == "auto-1")
        #expect(facts.isClientIDAssigned)
        #expect(facts.keepAlive == .seconds(7))
        #expect(facts.limits.maximumQoS == .atLeastOnce)
        #expect(!facts.limits.isRetainAvailable)
        #expect(facts.limits.receiveMaximum == 3)
        #expect(facts.limits.maximumPacketSize == 99)
        session.connectionLost()
        guard case .connect(let connect)? = try packets(session.connectPacket(isReconnect: true)).first else {
            Issue.record("not CONNECT")
            return
        }
        #expect(connect.clientID == "auto-1")
    }

    @Test(
        "A refusal is told with the code of MQTT 5",
        arguments: [
            (MQTTQUICClient.MQTTVersion.v3_1_1, UInt8(1), MQTTReasonCode.unsupportedProtocolVersion),
            (.v3_1_1, 5, .notAuthorized),
            (.v3_1_1, 4, .badUserNameOrPassword), (.v5_0, 1, .unsupportedProtocolVersion), (.v5_0, 0x8A, .banned),
        ])
    func refusal(version: MQTTQUICClient.MQTTVersion, code: UInt8, expected: MQTTReasonCode) throws {
        var configuration = MQTTClientConfiguration(host: "h", clientID: "c")
        configuration.version = version
        var session = ClientSession(configuration)
        _ = try session.connectPacket(isReconnect: false)
        let actions = session.received(.connack(Connack(code: code)), on: .control)
        #expect(actions == [.fail(.refused(expected, reason: nil, serverReference: nil))])
    }

    @Test("What a broker must not send ends the connection, with a DISCONNECT that says why")
    func faults() throws {
        let cases: [(Packet, LinkStream, MQTTReasonCode)] = [
            (.connack(Connack()), .control, .protocolError),
            (.auth(Auth(reasonCode: 0x18, properties: [.authenticationMethod("m")])), .control, .protocolError),
            (.pingreq, .control, .protocolError),
            (.puback(PublishAck(packetID: 9)), .control, .protocolError),
            (.suback(Suback(packetID: 9, codes: [0])), .control, .protocolError),
            (.publish(PublishHead(topic: "a"), payload: ByteBuffer()), .data(0), .protocolError),
            (
                .publish(PublishHead(topic: "a", properties: [.topicAlias(1)]), payload: ByteBuffer()), .control,
                .topicAliasInvalid
            ),
        ]
        for (packet, stream, code) in cases {
            var session = try ClientSession.online()
            let actions = session.received(packet, on: stream)
            #expect(try actions.sent() == [.disconnect(Disconnect(reasonCode: code.rawValue))], "\(packet)")
            guard case .fail(.protocolError)? = actions.last else {
                Issue.record("no fault: \(packet)")
                continue
            }
        }
    }

    @Test("DISCONNECT of the broker is told with its reason, a takeover by its name")
    func disconnected() throws {
        var session = try ClientSession.online()
        let moved = Disconnect(
            reasonCode: 0x9D, properties: [.serverReference("other"), .reasonString("moving")])
        #expect(
            session.received(.disconnect(moved), on: .control)
                == [.fail(.disconnectedByBroker(.serverMoved, reason: "moving", serverReference: "other"))])
        #expect(session.received(.disconnect(Disconnect(reasonCode: 0x8E)), on: .control) == [.fail(.sessionTakenOver)])
    }

    @Test("3.1.1 has no DISCONNECT of the broker's")
    func disconnectOf3() throws {
        var configuration = MQTTClientConfiguration.test
        configuration.version = .v3_1_1
        var session = try ClientSession.online(configuration)
        guard case .fail(.protocolError)? = session.received(.disconnect(Disconnect()), on: .control).first else {
            Issue.record("accepted")
            return
        }
    }

    @Test("DISCONNECT has a Session Expiry only if CONNECT had one")
    func disconnectPacket() throws {
        var session = try ClientSession.online()
        #expect(
            try session.disconnectPacket(
                reason: .disconnectWithWill, sessionExpiry: .seconds(1), userProperties: []
            ).sent() == [.disconnect(Disconnect(reasonCode: 4, properties: [.sessionExpiryInterval(1)]))])
        session = try ClientSession.online(MQTTClientConfiguration(host: "h"))
        #expect(
            try session.disconnectPacket(reason: .success, sessionExpiry: .seconds(1), userProperties: []).sent()
                == [.disconnect(Disconnect())])
    }
}

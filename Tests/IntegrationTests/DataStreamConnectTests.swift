import Testing

/// What a device is told when it connects, by a bridge that answers for the broker.
@Suite(.mapping(.dataStream), .timeLimit(.minutes(20)))
struct DataStreamConnectTests {
    /// Over a data stream no session can outlive its connection. The device is told so, and the log says it once.
    @Test(arguments: ["3.1.1", "5.0"])
    func aPersistentSessionIsHonestlyDenied(version: String) async throws {
        let fields: [String: JSONValue] = [
            "version": .string(version), "clean": false,
            "properties": version == "5.0" ? ["SessionExpiryInterval": 600] : [:],
        ]
        try await Scenario.run { scenario in
            let observer = try await scenario.observer()
            let first = await scenario.client("device-1")
            let told = try await first.connect(port: scenario.bridge.port, fields)
            #expect(told.sessionPresent == false)
            if version == "5.0" { #expect(told.properties?["SessionExpiryInterval"] == 0) }
            try await scenario.bridgeLogs("session will not outlive its connection", "client_id=device-1")
            #expect(await scenario.linesOfBridge("session will not outlive its connection").count == 1)
            try await first.subscribe("news/#", qos: 1)
            try await first.disconnect()
            try await scenario.gone("device-1")
            try await observer.publish("news/1", "while you were away", qos: 1)

            let again = await scenario.client("device-1")
            #expect(try await again.connect(port: scenario.bridge.port, fields).sessionPresent == false)
            try await again.subscribe("news/#", qos: 1)
            try await observer.publish("news/2", "now", qos: 1)
            #expect(try await again.message().topic == "news/2")
        }
    }

    @Test func aCleanSessionNeedsNoNotice() async throws {
        try await Scenario.run { scenario in
            let told = try await scenario.client("device-1").connect(port: scenario.bridge.port, ["version": "5.0"])
            #expect(told.properties?["SessionExpiryInterval"] == nil)
            #expect(await scenario.linesOfBridge("session will not outlive").isEmpty)
        }
    }

    /// `serve` takes the gateway's session, and has no data streams. Both ends say so.
    @Test func serveHasNoDataStreams() async throws {
        var options = Scenario.Options()
        options.farEnd = .serve
        try await Scenario.run(options) { scenario in
            let device = await scenario.client("device-1")
            _ = try await device.connect(port: scenario.bridge.port)
            // The stream is there for serve when something comes on it.
            try await device.publish("a", "b", qos: 0)
            try await scenario.bridgeLogs("session ended", "serve has none (use uplink.mapping mux there)")
            _ = try await scenario.farEnd.process.errors.first("the refused stream in the log of serve") {
                $0.contains("second stream of a client refused") && $0.contains("data-stream")
            }
        }
    }

    @Test func clientIDsAreAssigned() async throws {
        try await Scenario.run { scenario in
            var assigned: Set<String> = []
            for name in ["first", "second"] {
                let told = try await scenario.client(name).connect(
                    port: scenario.bridge.port, ["version": "5.0", "client_id": ""])
                guard case .string(let clientID) = told.properties?["AssignedClientIdentifier"] else {
                    Issue.record("no Assigned Client Identifier: \(told)")
                    return
                }
                #expect(clientID.count <= 23)
                assigned.insert(clientID)
            }
            #expect(assigned.count == 2)
            let clean = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await clean.connect("") == 0)
            // 3.1.1 without Clean Session is answered by "identifier rejected" [MQTT-3.1.3-8].
            let kept = try await RawDevice.connect(port: scenario.bridge.port)
            try await kept.send(RawMQTT.packet(0x10, RawMQTT.string("MQTT") + [4, 0, 0, 60] + RawMQTT.string("")))
            #expect(try await kept.packet().body == [0, 2])
            _ = try await kept.closed()
        }
    }

    /// The broker told the gateway its limits, and the gateway tells the devices.
    @Test func theLimitsOfTheGatewaysSessionArePassedOn() async throws {
        var options = Scenario.Options()
        options.broker.lines = [
            "max_packet_size 5000", "max_qos 1", "retain_available false", "max_inflight_messages 7",
        ]
        options.configuration = "threads: 1"
        try await Scenario.run(options) { scenario in
            let device = await scenario.client("device-1")
            let told = try await device.connect(port: scenario.bridge.port, ["version": "5.0"])
            #expect(told.properties?["MaximumPacketSize"] == 5000)
            #expect(told.properties?["MaximumQoS"] == 1)
            #expect(told.properties?["RetainAvailable"] == 0)
            #expect(told.properties?["ReceiveMaximum"] == 7)
            #expect(told.properties?["TopicAliasMaximum"] == nil)

            // A device that ignores the limits is disconnected, and the gateway's session is not affected.
            let neighbour = try await scenario.device("neighbour", ["version": "5.0"])
            for (name, packet, code) in [
                ("qos", RawMQTT.publish("up", [1], packetID: 1, qos: 2, properties: []), UInt8(0x9B)),
                ("retain", [0x31] + RawMQTT.publish("up", [1], properties: []).dropFirst(), 0x9A),
                ("size", RawMQTT.publish("up", [UInt8](repeating: 1, count: 5000), packetID: 1, properties: []), 0x95),
                ("alias", RawMQTT.publish("up", [1], packetID: 1, properties: [0x23, 0, 1]), 0x94),
            ] as [(String, [UInt8], UInt8)] {
                let device = try await RawDevice.connect(port: scenario.bridge.port)
                #expect(try await device.connect(name, level: 5) == 0)
                try await device.send(packet)
                let answer = try await device.packet()
                #expect(answer.first == 0xE0 && answer.body.first == code, "\(name)")
                _ = try await device.closed()
            }
            let will = try await RawDevice.connect(port: scenario.bridge.port)
            let size = String(repeating: "x", count: 5000)
            #expect(try await will.connect("will", level: 5, will: ("will", size)) == 0x95)
            #expect(try await neighbour.publish("up", "fine", qos: 1).code ?? 0 < 0x80)
            #expect(try await scenario.gatewaySessions == ["gateway-1"])
        }
    }

    /// Each protocol version has a gateway session of its own, because a 3.1.1 session cannot carry the packets of a
    /// 5.0 device.
    @Test func eachVersionHasASessionOfItsOwn() async throws {
        var options = Scenario.Options()
        options.configuration = "threads: 1"
        try await Scenario.run(options) { scenario in
            let old = try await scenario.device("old", ["version": "3.1.1"])
            try await scenario.broker.logs("as gateway-1 (p2, c1, k60)")
            let new = try await scenario.device("new", ["version": "5.0"])
            try await scenario.broker.logs("as gateway-2 (p5, c1, k60)")
            let oldest = try await scenario.device("oldest", ["version": "3.1"])
            try await old.subscribe("a", qos: 1)
            try await new.publish("a", "from new", qos: 1, properties: ["UserProperty": [["k", "v"]]])
            #expect(try await old.message().text == "from new")
            try await new.subscribe("b", qos: 1)
            try await oldest.publish("b", "from oldest", qos: 1)
            #expect(try await new.message().text == "from oldest")
            #expect(try await scenario.gatewaySessions == ["gateway-1", "gateway-2"])
        }
    }

    /// If the gateway's sessions are limited to one version, devices of another version are told so.
    @Test func aVersionWithoutASessionIsRefused() async throws {
        var options = Scenario.Options()
        options.uplink = [#"identity: {client_id: gateway, version: "5.0"}"#]
        try await Scenario.run(options) { scenario in
            let old = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await old.connect("old") == 1)
            _ = try await old.closed()
            try await scenario.bridgeLogs("session ended", "uplink.identity.version")
            _ = try await scenario.device("new", ["version": "5.0"])
        }
        options.uplink = [#"identity: {client_id: gateway, version: "3.1.1"}"#]
        try await Scenario.run(options) { scenario in
            let new = try await scenario.client("new").tryConnect(port: scenario.bridge.port, ["version": "5.0"])
            #expect(new.code == 0x84)
            guard case .string(let reason) = new.properties?["ReasonString"] else {
                Issue.record("no Reason String: \(new)")
                return
            }
            #expect(reason.contains("3.1.1"))
            _ = try await scenario.device("old", ["version": "3.1.1"])
            _ = try await scenario.device("oldest", ["version": "3.1"])
        }
    }

    /// Enhanced authentication would take place between the device and the broker, with which it has no session.
    @Test func enhancedAuthenticationIsRefused() async throws {
        try await Scenario.run { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("d", level: 5, properties: [0x15] + RawMQTT.string("SCRAM")) == 0x8C)
            _ = try await device.closed()
        }
    }

    /// No device is connected: without packets from the gateway itself, the broker would close the connection.
    @Test func theGatewayKeepsItsSessionAlive() async throws {
        var options = Scenario.Options()
        options.uplink = ["identity: {client_id: gateway, keep_alive: 5s}"]
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", keepAlive: 0) == 0)
            try await scenario.broker.logs("as gateway-1 (p2, c1, k5)")
            // Mosquitto waits for one and a half keepalives, so by the third PINGREQ it would have closed the
            // connection twice.
            var seen = 0
            for _ in 0..<3 {
                let start = seen
                _ = try await scenario.front.events.first("PINGREQ", from: start) {
                    $0.event == "packet" && $0.type == "PINGREQ" && $0.stream == 0
                }
                let all = try await scenario.front.reported()
                seen = (all[start...].firstIndex { $0.type == "PINGREQ" } ?? start) + 1
            }
            try await device.send(RawMQTT.publish("up", [0x61]))
            #expect(try await observer.message().text == "a")
            #expect(try await scenario.gatewaySessions == ["gateway-1"])
            await device.close()
        }
    }
}

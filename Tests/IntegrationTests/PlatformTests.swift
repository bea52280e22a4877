import BridgeAdmin
import Testing

/// `profile: tesaiot`: the platform's rules for topics, with real clients.
@Suite(.timeLimit(.minutes(20)))
struct PlatformTests {
    private static func options(_ more: String = "") -> Scenario.Options {
        var options = Scenario.Options()
        options.configuration = "profile: tesaiot\n\(more)"
        return options
    }

    @Test(.mapping(.connection, .mux), arguments: ["3.1.1", "5.0"])
    func theProfilesRoutesGiveEachDeviceItsTopics(version: String) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("#")
            let device = try await scenario.device("d1", ["version": .string(version), "username": "d1"])
            try await device.publish("telemetry/temp", "21.5", qos: 1)
            #expect(try await observer.message().topic == "device/d1/telemetry/temp")
            try await device.publish("status", "on", qos: 1)
            #expect(try await observer.message().topic == "device/d1/status")
            try await device.subscribe("commands/#")
            try await observer.publish("device/d1/commands/led", "1", qos: 1)
            #expect(try await device.message().topic == "commands/led")
        }
    }

    /// The broker would disconnect the device for the first four. It sees only the fifth, and the device stays.
    @Test(.mapping(.connection, .mux), arguments: ["3.1.1", "5.0"])
    func whatTheBrokerWouldPunishIsKeptBack(version: String) async throws {
        try await Scenario.run(Self.options("routes: []")) { scenario in
            let observer = try await scenario.observer("#")
            let device = try await scenario.device("d1", ["version": .string(version), "username": "d1"])
            for (topic, qos) in [
                ("device/d1/heartbeat", 0), ("device/d1/data", 1), ("devices/d1/heartbeat", 2), ("device/d2/status", 1),
            ] {
                let answer = try await device.publish(topic, "x", qos: qos)
                // At QoS 2 paho does not tell the code.
                if version == "5.0", qos == 1 { #expect(answer.code == 0x87, "\(topic)") }
            }
            try await device.publish("devices/d1/telemetry/room", "x", qos: 1)
            #expect(try await observer.message().topic == "devices/d1/telemetry/room")
            try await device.publish("device/d1/telemetry", "x", qos: 1)
            #expect(try await observer.message().topic == "device/d1/telemetry")

            // The last of the three lines; those before it are there then.
            _ = try await scenario.bridge.process.errors.first("the topic that is never stored") {
                $0.contains("the platform accepts it and never stores it")
            }
            let log = await scenario.bridge.process.errors.all
            let kept = log.filter { $0.contains("message kept back: the platform would disconnect the device") }
            #expect(kept.count == 2, "\(kept)")
            #expect(kept.contains { $0.contains("device/d1/heartbeat") })
            #expect(kept.contains { $0.contains("device/d2/status") })
        }
    }

    /// The broker sees the filters of the device's own topics only.
    @Test(.mapping(.connection, .mux), arguments: ["3.1.1", "5.0"])
    func aFilterForOtherDevicesIsKeptBack(version: String) async throws {
        try await Scenario.run(Self.options("routes: []")) { scenario in
            let observer = try await scenario.observer("none")
            let device = try await scenario.device("d1", ["version": .string(version), "username": "d1"])
            let filters = ("device/d2/config", "device/d1/config", "device/+/commands/#")
            let codes = try await device.subscribe(filters.0, filters.1, filters.2, qos: 1)
            let refused = version == "5.0" ? 0x87 : 0x80
            #expect(codes == [refused, 1, refused])
            #expect(try await device.subscribe("#", qos: 1) == [refused])
            try await observer.publish("device/d2/config", "x", qos: 1)
            try await observer.publish("device/d1/config", "x", qos: 1)
            #expect(try await device.message().topic == "device/d1/config")
            try await scenario.bridgeSays("subscription kept back: the platform would disconnect the device")
        }
    }

    @Test(.mapping(.connection, .mux)) func aWillThatTheBrokerWouldDenyIsLeftOut() async throws {
        try await Scenario.run(Self.options("routes: []")) { scenario in
            let observer = try await scenario.observer("#")
            let will: JSONValue = [
                "topic": "device/d1/heartbeat", "payload": ["text": "gone"], "qos": 1, "retain": false,
            ]
            let device = try await scenario.device("d1", ["username": "d1", "will": will])
            _ = try await scenario.bridge.process.errors.first("the will to be named") {
                $0.contains("message kept back") && $0.contains("device/d1/heartbeat")
            }
            try await device.vanish()
            try await scenario.gone("d1")
            try await observer.publish("last", "x", qos: 1)
            #expect(try await observer.message().topic == "last")
        }
    }

    @Test(.mapping(.connection, .mux)) func keptBackMessagesAreCounted() async throws {
        var options = Self.options("routes: []")
        options.admin = true
        try await Scenario.run(options) { scenario in
            let device = try await scenario.device("d1", ["version": "5.0", "username": "d1"])
            for _ in 0..<3 { try await device.publish("device/d1/data", "x", qos: 1) }
            try await device.publish("device/d2/data", "x", qos: 1)
            let port = try #require(scenario.bridge.adminPort)
            let admin = AdminClient(AdminURL(host: "127.0.0.1", port: port), timeout: .seconds(30))
            let text = try await admin.send("GET", "/metrics").body
            for line in [
                "mqtt_quic_bridge_platform_messages_total{finding=\"denied_kind\"} 3",
                "mqtt_quic_bridge_platform_messages_total{finding=\"another_device\"} 1",
                "mqtt_quic_bridge_platform_messages_total{finding=\"never_ingested\"} 0",
            ] {
                #expect(text.contains(line), "\(line)")
            }
        }
    }
}

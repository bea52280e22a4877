import Testing

/// When a device's will is published, and when it is not.
@Suite(.timeLimit(.minutes(20)))
struct WillTests {
    private static let will: JSONValue = [
        "topic": "will/device-1", "payload": ["text": "gone"], "qos": 1, "retain": true,
    ]

    @Test(arguments: ["3.1", "3.1.1", "5.0"], [false, true])
    func aDeviceThatVanishesHasItsWillPublished(version: String, hard: Bool) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let device = try await scenario.device("device-1", ["version": .string(version), "will": Self.will])
            try await device.vanish(hard: hard)
            let message = try await observer.message()
            #expect(message.topic == "will/device-1" && message.text == "gone" && message.qos == 1)
        }
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func aDeviceThatDisconnectsHasNoWillPublished(version: String) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let device = try await scenario.device("device-1", ["version": .string(version), "will": Self.will])
            try await device.disconnect()
            try await scenario.gone("device-1")
            // The broker has published whatever there was to publish for device-1, so the next message is the marker.
            try await observer.publish("will/marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "will/marker")
        }
    }

    /// MQTT 5 3.14.2.1: reason code 4 means "disconnect with will message".
    @Test func disconnectWithWillHasItPublished() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let device = try await scenario.device("device-1", ["version": "5.0", "will": Self.will])
            try await device.disconnect(["reason_code": 4])
            #expect(try await observer.message().text == "gone")
        }
    }

    /// The bridge raises the Session Expiry so that nothing is lost while it holds the device, whether the device has
    /// one of its own or not.
    @Test(arguments: [nil, 0, 300])
    func aHeldSessionDoesNotCostTheWill(expiry: Int?) async throws {
        var options = Scenario.Options()
        options.uplink = Uplink.hold()
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("will/#")
            var fields: [String: JSONValue] = ["version": "5.0", "will": Self.will]
            if let expiry { fields["properties"] = ["SessionExpiryInterval": .int(expiry)] }
            let vanishing = try await scenario.device("device-1", fields)
            try await vanishing.vanish()
            #expect(try await observer.message().text == "gone")
            let leaving = try await scenario.device("device-2", fields)
            try await leaving.disconnect(["reason_code": 4])
            #expect(try await observer.message().text == "gone")
        }
    }

    @Test func aDeviceThatFallsSilentIsClosedAtOneAndAHalfKeepalives() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            let start = ContinuousClock.now
            #expect(try await device.connect("silent", keepAlive: 2, will: ("will/silent", "gone")) == 0)
            _ = try await device.closed()
            #expect(ContinuousClock.now - start >= .seconds(2.9))
            #expect(try await observer.message().topic == "will/silent")
        }
    }

    @Test func aDeviceThatPingsStays() async throws {
        try await Scenario.run { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("pinging", keepAlive: 8) == 0)
            // The device is silent for half the keepalive at a time, for twice the keepalive in all. That leaves a busy
            // machine eight seconds to spare.
            for _ in 0..<4 {
                try await Task.sleep(for: .seconds(4))
                try await device.send(RawMQTT.pingreq)
                #expect(try await device.receive(2) == [0xD0, 0x00])
            }
            await device.close()
        }
    }

    @Test(.mapping(.connection)) func theUplinkIsResetOrClosedWithoutDisconnectWhenADeviceVanishes() async throws {
        try await Scenario.run { scenario in
            let device = try await scenario.device("device-1")
            try await device.vanish()
            _ = try await scenario.front.closed("device-1")
            let connection = try await scenario.front.connection(of: "device-1")
            let said = try await scenario.front.reported().filter {
                $0.connection == connection && $0.sender == "client"
            }
            #expect(!said.contains { $0.type == "DISCONNECT" })
        }
    }
}

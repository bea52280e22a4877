import Testing

/// What MQTT 5.0 adds passes through unchanged.
@Suite(.timeLimit(.minutes(20)))
struct PropertyTests {
    private static let properties: [String: JSONValue] = [
        "PayloadFormatIndicator": 1, "ContentType": "text/plain", "ResponseTopic": "answers/1",
        "CorrelationData": "AAECAwQ=", "UserProperty": [["a", "1"], ["b", "2"], ["a", "3"]],
    ]

    @Test func publishPropertiesPassBothWays() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up")
            let device = try await scenario.device("device-1", ["version": "5.0"])
            try await device.publish("up", "x", qos: 1, properties: Self.properties)
            #expect(try await observer.message().properties == Self.properties)
            try await device.subscribe("down")
            try await observer.publish("down", "x", qos: 1, properties: Self.properties)
            #expect(try await device.message().properties == Self.properties)
        }
    }

    @Test func subscriptionIdentifiersComeBack() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer()
            let device = try await scenario.device("device-1", ["version": "5.0"])
            try await device.subscribe("down", properties: ["SubscriptionIdentifier": 268_435_455])
            try await observer.publish("down", "x", qos: 1)
            #expect(try await device.message().properties?["SubscriptionIdentifier"] == [268_435_455])
        }
    }

    @Test(.mapping(.connection, .mux)) func connackPropertiesPass() async throws {
        try await Scenario.run { scenario in
            let direct = await scenario.client("direct")
            let expected = try await direct.connect(port: scenario.broker.port, ["version": "5.0"]).properties
            let device = await scenario.client("device-1")
            let connected = try await device.connect(port: scenario.bridge.port, ["version": "5.0"])
            #expect(connected.properties?["ReceiveMaximum"] == expected?["ReceiveMaximum"])
            #expect(connected.properties?["TopicAliasMaximum"] == expected?["TopicAliasMaximum"])
            // This is the bridge's own limit, because the broker has none.
            #expect(connected.properties?["MaximumPacketSize"] == 10_000_000)
        }
    }

    /// With routes, the topic behind an alias is rewritten, and the alias continues to work.
    @Test(.mapping(.connection, .mux), arguments: [false, true])
    func topicAliasesOfADeviceWork(routed: Bool) async throws {
        var options = Scenario.Options()
        options.configuration = routed ? "routes: [{local: \"t/#\", remote: \"remote/${clientid}/#\"}]" : ""
        let prefix = routed ? "remote/raw" : "t"
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("#")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", level: 5) == 0)
            func alias(_ number: UInt8) -> [UInt8] { [0x23, 0, number] }
            try await device.send(RawMQTT.publish("t/a", [1], properties: alias(1)))
            try await device.send(RawMQTT.publish("t/b", [2], properties: alias(2)))
            try await device.send(RawMQTT.publish("", [3], properties: alias(1)))
            try await device.send(RawMQTT.publish("", [4], properties: alias(2)))
            // An alias may be assigned to another topic.
            try await device.send(RawMQTT.publish("t/c", [5], properties: alias(1)))
            try await device.send(RawMQTT.publish("", [6], properties: alias(1)))
            for topic in ["a", "b", "a", "b", "c", "c"] {
                #expect(try await observer.message().topic == "\(prefix)/\(topic)")
            }
            await device.close()
        }
    }

    @Test func messageExpiryAndWillDelayReachTheBroker() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up", "will")
            let device = try await scenario.device(
                "device-1",
                [
                    "version": "5.0", "properties": ["SessionExpiryInterval": 60],
                    "will": [
                        "topic": "will", "payload": ["text": "gone"],
                        "properties": ["UserProperty": [["k", "v"]], "ContentType": "text/plain"],
                    ],
                ])
            try await device.publish("up", "x", qos: 1, properties: ["MessageExpiryInterval": 1000])
            let expiry = try await observer.message().properties?["MessageExpiryInterval"]
            #expect(expiry == 1000 || expiry == 999)
            try await device.vanish()
            let will = try await observer.message(on: "will")
            #expect(will.properties == ["UserProperty": [["k", "v"]], "ContentType": "text/plain"])
        }
    }
}

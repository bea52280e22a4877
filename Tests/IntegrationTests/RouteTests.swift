import Testing

/// Routes rewrite topics between the device's names and the broker's.
@Suite(.timeLimit(.minutes(20)))
struct RouteTests {
    private static func options(unrouted: String = "reject") -> Scenario.Options {
        var options = Scenario.Options()
        options.configuration = """
            routes:
              - {local: "telemetry/#", remote: "device/${clientid}/telemetry/#", direction: up}
              - {local: "commands/#", remote: "device/${clientid}/commands/#", direction: down}
              - {local: "config/+/value", remote: "device/${clientid}/config/+", max_qos: 1}
              - {local: "plain/#", remote: "shared/#", retain: strip}
              - {local: "will", remote: "device/${clientid}/status", direction: up}
              - {local: "reply/#", remote: "device/${clientid}/reply/#"}
            unrouted: \(unrouted)
            """
        return options
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func topicsAreRewrittenBothWays(version: String) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("#")
            let device = try await scenario.device("d1", ["version": .string(version)])
            try await device.publish("telemetry/room/temperature", "21.5", qos: 1)
            #expect(try await observer.message().topic == "device/d1/telemetry/room/temperature")
            try await device.publish("config/mode/value", "auto", qos: 2)
            let capped = try await observer.message()
            #expect(capped.topic == "device/d1/config/mode" && capped.qos == 1)

            #expect(try await device.subscribe("commands/#", "config/+/value").allSatisfy { $0 <= 2 })
            try await observer.publish("device/d1/commands/led/on", "1", qos: 1)
            #expect(try await device.message().topic == "commands/led/on")
            try await observer.publish("device/d1/config/rate", "5", qos: 2)
            let down = try await device.message()
            #expect(down.topic == "config/rate/value" && down.qos == 1)
        }
    }

    /// A device's `#` covers its routes and nothing else.
    @Test(arguments: ["3.1.1", "5.0"])
    func aFilterAcrossRoutesGetsEachOfThemAndNoMore(version: String) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer()
            let device = try await scenario.device("d1", ["version": .string(version)])
            #expect(try await device.subscribe("#", qos: 1) == [1])
            try await observer.publish("device/d2/commands/other", "not mine", qos: 1)
            try await observer.publish("elsewhere", "not mine", qos: 1)
            try await observer.publish("device/d1/telemetry/up-only", "not mine", qos: 1)
            for (remote, local) in [
                ("device/d1/commands/led", "commands/led"), ("shared/x", "plain/x"),
                ("device/d1/config/rate", "config/rate/value"),
            ] {
                try await observer.publish(remote, "mine", qos: 1)
                let message = try await device.message()
                #expect(message.topic == local && message.text == "mine")
            }
            let codes = try await device.unsubscribe("#")
            #expect(codes.count == (version == "5.0" ? 1 : codes.count))
            try await observer.publish("shared/x", "after the end", qos: 1)
            #expect(try await device.subscribe("plain/y", qos: 1) == [1])
            try await observer.publish("shared/y", "marker", qos: 1)
            #expect(try await device.message().text == "marker")
        }
    }

    @Test func theWillIsRouted() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("device/#")
            let device = try await scenario.device(
                "d1", ["will": ["topic": "will", "payload": ["text": "offline"]]])
            try await device.vanish()
            let message = try await observer.message()
            #expect(message.topic == "device/d1/status" && message.text == "offline")
        }
    }

    @Test func responseTopicsAreRoutedBothWays() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("device/#")
            let device = try await scenario.device("d1", ["version": "5.0"])
            try await device.publish("telemetry/q", "?", qos: 1, properties: ["ResponseTopic": "reply/1"])
            #expect(try await observer.message().properties?["ResponseTopic"] == "device/d1/reply/1")
            try await device.subscribe("commands/#")
            try await observer.publish(
                "device/d1/commands/q", "?", qos: 1, properties: ["ResponseTopic": "device/d1/reply/2"])
            #expect(try await device.message().properties?["ResponseTopic"] == "reply/2")
        }
    }

    @Test func retainMayBeStripped() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let device = try await scenario.device("d1")
            try await device.publish("plain/a", "not kept", qos: 1, retain: true)
            try await device.publish("telemetry/a", "kept", qos: 1, retain: true)
            let observer = try await scenario.observer("#")
            let message = try await observer.message()
            #expect(message.topic == "device/d1/telemetry/a" && message.retain == true)
            try await observer.publish("marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "marker")
        }
    }

    @Test func rejectRefusesASubscription() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let old = try await scenario.device("old")
            #expect(try await old.subscribe("secret/#", "commands/#", qos: 1) == [0x80, 1])
            let new = try await scenario.device("new", ["version": "5.0"])
            #expect(try await new.subscribe("secret/#", "commands/#", qos: 1) == [0x87, 1])
        }
    }

    @Test func rejectRefusesAPublish() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("#")
            let new = try await scenario.device("new", ["version": "5.0"])
            #expect(try await new.publish("secret/x", "x", qos: 1).code == 0x87)
            try await new.publish("secret/x", "x", qos: 2)
            // paho does not report the reason code of PUBREC.
            let raw = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await raw.connect("raw", level: 5) == 0)
            try await raw.send(RawMQTT.publish("secret/x", [1], packetID: 7, qos: 2, properties: []))
            let pubrec = try await raw.packet()
            #expect(pubrec.first == 0x50 && pubrec.body.prefix(3) == [0, 7, 0x87])
            await raw.close()
            // 3.1.1 has no acknowledgement that refuses.
            let old = try await scenario.device("old")
            try await old.startPublishing("secret/x", "x", qos: 1)
            _ = try await old.disconnected()
            try await new.publish("telemetry/still", "here", qos: 1)
            #expect(try await observer.message().topic == "device/new/telemetry/still")
        }
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func dropAcknowledgesAndForgets(version: String) async throws {
        try await Scenario.run(Self.options(unrouted: "drop")) { scenario in
            let observer = try await scenario.observer("#")
            let device = try await scenario.device("d1", ["version": .string(version)])
            for qos in 0...2 {
                try await device.publish("secret/\(qos)", "x", qos: qos)
            }
            #expect(try await device.subscribe("secret/#", qos: 1).count == 1)
            try await device.publish("telemetry/marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "device/d1/telemetry/marker")
        }
    }

    @Test func passLeavesOtherTopicsAlone() async throws {
        try await Scenario.run(Self.options(unrouted: "pass")) { scenario in
            let observer = try await scenario.observer("#")
            let device = try await scenario.device("d1")
            try await device.subscribe("other/down")
            try await device.publish("other/up", "x", qos: 2)
            #expect(try await observer.message().topic == "other/up")
            try await observer.publish("other/down", "y", qos: 2)
            #expect(try await device.message().topic == "other/down")
        }
    }

    /// A shared subscription keeps its marker in front of the remote filter.
    @Test func sharedSubscriptionsAreRouted() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer()
            let device = try await scenario.device("d1", ["version": "5.0"])
            #expect(try await device.subscribe("$share/group/plain/#", qos: 1) == [1])
            try await observer.publish("shared/x", "mine", qos: 1)
            #expect(try await device.message().topic == "plain/x")
        }
    }

    /// A `${clientid}` that contains a wildcard would give access to other devices' topics.
    @Test(arguments: ["a/b", "a+", "#"])
    func aClientIDThatWouldWidenARouteIsRefused(clientID: String) async throws {
        try await Scenario.run(Self.options()) { scenario in
            for version in ["3.1.1", "5.0"] {
                let device = await scenario.client("refused-\(version)")
                let outcome = try await device.tryConnect(
                    port: scenario.bridge.port, ["client_id": .string(clientID), "version": .string(version)])
                #expect(outcome.code != 0)
            }
        }
    }
}

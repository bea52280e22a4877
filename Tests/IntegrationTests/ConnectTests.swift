import Testing

/// Unchanged clients of every MQTT version, which connect through the bridge as themselves.
@Suite(.timeLimit(.minutes(20)))
struct ConnectTests {
    @Test(arguments: [("3.1", 1), ("3.1.1", 2), ("5.0", 5)])
    func messagesPassBothWaysAtEveryQoS(version: String, level: Int) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up/#")
            let device = try await scenario.device("device-1", ["version": .string(version)])
            // These are Mosquitto's numbers for the versions.
            if TestMapping.current != .dataStream { try await scenario.broker.logs("as device-1 (p\(level),") }
            #expect(try await device.subscribe("down/#") == [2])
            for qos in 0...2 {
                try await device.publish("up/\(qos)", .text("from the device"), qos: qos)
                let up = try await observer.message()
                #expect(up.topic == "up/\(qos)" && up.text == "from the device" && up.qos == qos)

                try await observer.publish("down/\(qos)", .text("to the device"), qos: qos)
                let down = try await device.message()
                #expect(down.topic == "down/\(qos)" && down.text == "to the device" && down.qos == qos)
            }
        }
    }

    @Test func aSubscriptionsQoSHolds() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer()
            let device = try await scenario.device("device-1")
            #expect(try await device.subscribe("zero", qos: 0) == [0])
            #expect(try await device.subscribe("one", qos: 1) == [1])
            for (topic, qos) in [("zero", 0), ("one", 1)] {
                try await observer.publish(topic, "x", qos: 2)
                #expect(try await device.message(on: topic).qos == qos)
            }
            #expect(try await device.unsubscribe("zero", "one").allSatisfy { $0 < 0x80 })
        }
    }

    @Test func retainedMessagesPassBothWays() async throws {
        try await Scenario.run { scenario in
            let device = try await scenario.device("device-1")
            try await device.publish("state/device", "on", qos: 1, retain: true)
            let observer = try await scenario.observer("state/device")
            let up = try await observer.message()
            #expect(up.text == "on" && up.retain == true)

            try await observer.publish("state/house", "warm", qos: 1, retain: true)
            try await device.subscribe("state/house")
            let down = try await device.message()
            #expect(down.text == "warm" && down.retain == true)
        }
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func aDeviceWithoutAClientIDGetsOneFromTheBroker(version: String) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up")
            let device = await scenario.client("nameless")
            let connected = try await device.connect(
                port: scenario.bridge.port, ["version": .string(version), "client_id": ""])
            let assigned = connected.properties?["AssignedClientIdentifier"]
            #expect((assigned != nil) == (version == "5.0"))
            try await device.publish("up", "hello", qos: 1)
            #expect(try await observer.message().text == "hello")
        }
    }

    @Test(.mapping(.connection)) func disconnectGoesUpstreamAsDisconnectAndFIN() async throws {
        try await Scenario.run { scenario in
            let device = try await scenario.device("device-1")
            try await device.disconnect()
            let packet = try await scenario.front.sees("DISCONNECT", of: "device-1")
            _ = try await scenario.front.events.first("FIN of the control stream") {
                $0.event == "fin" && $0.connection == packet.connection && $0.stream == 0
            }
            let closed = try await scenario.front.closed("device-1")
            #expect(closed.code == 0)
        }
    }

    @Test func pingsPass() async throws {
        try await Scenario.run { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw") == 0)
            try await device.send(RawMQTT.pingreq)
            #expect(try await device.receive(2) == [0xD0, 0x00])
            if TestMapping.current != .dataStream { try await scenario.broker.logs("Received PINGREQ from raw") }
            await device.close()
        }
    }

    /// A client does not have to write whole packets.
    @Test func packetsMayComeByteByByte() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            for byte in RawMQTT.connect("raw") + RawMQTT.publish("up", Array("hello".utf8)) {
                try await device.send([byte])
            }
            #expect(try await device.packet().first == 0x20)
            #expect(try await observer.message().text == "hello")
            await device.close()
        }
    }

    @Test func ipv6BothWays() async throws {
        var options = Scenario.Options()
        options.listen = "[::1]:0"
        options.host = "::1"
        options.front.host = "::1"
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await scenario.device("device-6", ["host": "::1"])
            try await device.publish("up", "hello", qos: 1)
            #expect(try await observer.message().text == "hello")
        }
    }

    /// The broker sees one connection per device, with the device's own client identifier.
    @Test(.mapping(.connection)) func everyDeviceHasAConnectionOfItsOwn() async throws {
        try await Scenario.run { scenario in
            for name in ["a", "b", "c"] {
                _ = try await scenario.device(name)
            }
            var numbers: Set<Int?> = []
            for name in ["a", "b", "c"] {
                numbers.insert(try await scenario.front.connection(of: name))
            }
            #expect(numbers.count == 3)
        }
    }
}

import Testing

/// The bridge publishes wills itself, on the device's own stream or on a new one.
@Suite(.mapping(.dataStream), .timeLimit(.minutes(20)))
struct DataStreamWillTests {
    private static func will(qos: Int = 1, delay: Int? = nil, retain: Bool = false) -> JSONValue {
        [
            "topic": "will/device", "payload": ["text": "gone"], "qos": .int(qos), "retain": .bool(retain),
            "properties": .object(delay.map { ["WillDelayInterval": .int($0)] } ?? [:]),
        ]
    }

    /// The properties of a 5.0 session that would outlive the device's connection, so that its will may be delayed.
    private static func delayed(_ delay: Int, clean: Bool = true, expiry: Int = 600) -> [String: JSONValue] {
        [
            "version": "5.0", "clean": .bool(clean), "will": will(delay: delay), "client_id": "device",
            "properties": ["SessionExpiryInterval": .int(expiry)],
        ]
    }

    @Test(arguments: [0, 1, 2], ["3.1", "3.1.1", "5.0"])
    func aWillHasItsQoS(qos: Int, version: String) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#", "up")
            let device = try await scenario.device(
                "device", ["version": .string(version), "will": Self.will(qos: qos, retain: true)])
            // The device has used packet identifiers already.
            for index in 0..<3 {
                try await device.publish("up", .text("\(index)"), qos: qos)
                #expect(try await observer.message().text == "\(index)")
            }
            try await device.vanish()
            let message = try await observer.message()
            #expect(message.topic == "will/device" && message.text == "gone" && message.qos == qos)
            let later = await scenario.client("later")
            try await later.connect(port: scenario.broker.port)
            try await later.subscribe("will/#")
            #expect(try await later.message().retain == true)
            // The stream ends by FIN, once the broker has acknowledged the will.
            let closed = try await scenario.front.events.first("the end of the stream") { $0.event == "stream_closed" }
            #expect(closed.end == "fin")
            #expect(await scenario.linesOfBridge("device's will").isEmpty)
        }
    }

    /// The will comes after everything that the device has sent.
    @Test func aWillIsTheLastMessage() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#", "up")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", will: ("will/raw", "gone")) == 0)
            var bytes: [UInt8] = []
            for index in 0..<100 { bytes += RawMQTT.publish("up", [UInt8](repeating: UInt8(index), count: 5_000)) }
            try await device.send(bytes)
            await device.close()
            for _ in 0..<100 { #expect(try await observer.message().topic == "up") }
            #expect(try await observer.message().topic == "will/raw")
        }
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func aTakeoverPublishesTheWillOfThePredecessor(version: String) async throws {
        var options = Scenario.Options()
        options.configuration = "threads: 2"
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("will/#", "up")
            let fields: [String: JSONValue] = [
                "version": .string(version), "client_id": "device", "will": Self.will(),
            ]
            var previous: PahoClient?
            // The listener gives connections to the event loops in turn, so there are takeovers within a loop and
            // between two.
            for round in 0..<5 {
                let device = await scenario.client("device-\(round)")
                try await device.connect(port: scenario.bridge.port, fields)
                if let previous {
                    let end = try await previous.disconnected()
                    if version == "5.0" { #expect(end.fromServer == true && end.code == 0x8E) }
                    #expect(try await observer.message().text == "gone")
                }
                previous = device
                if round == 2 {
                    // This makes the next device go to the same event loop.
                    let other = try await RawDevice.connect(port: scenario.bridge.port)
                    await other.close()
                }
            }
            try await previous?.publish("up", "still here", qos: 1)
            #expect(try await observer.message().text == "still here")
        }
    }

    @Test func aDelayedWillWaits() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let device = try await scenario.device("device", Self.delayed(3))
            let start = ContinuousClock.now
            try await device.vanish()
            #expect(try await observer.message().text == "gone")
            #expect(ContinuousClock.now - start >= .seconds(2.9))
        }
    }

    /// MQTT 5 3.1.3.2.2: the will is published at the end of the session at the latest, which here is the end of the
    /// connection, because the device has asked for no more.
    @Test func aWillIsNotDelayedBeyondTheSession() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#", "marker")
            var fields = Self.delayed(600)
            fields["properties"] = [:]
            let device = try await scenario.device("device", fields)
            let start = ContinuousClock.now
            try await device.vanish()
            #expect(try await observer.message().text == "gone")
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }

    /// The will of a device that comes back for its session is not published.
    @Test func aDeviceThatComesBackCancelsItsDelayedWill() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let first = await scenario.client("first")
            try await first.connect(port: scenario.bridge.port, Self.delayed(15))
            try await first.vanish()
            try await scenario.gone("device")
            let second = await scenario.client("second")
            try await second.connect(port: scenario.bridge.port, Self.delayed(15, clean: false))
            try await second.disconnect()
            // This is well after both delays.
            try await Task.sleep(for: .seconds(17))
            try await observer.publish("will/marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "will/marker")
        }
    }

    /// A device that begins a new session has ended the previous one, so its will is due.
    @Test func aDeviceThatBeginsAnewHasItsDelayedWillPublishedAtOnce() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let first = await scenario.client("first")
            try await first.connect(port: scenario.bridge.port, Self.delayed(250))
            try await first.vanish()
            try await scenario.gone("device")
            let second = await scenario.client("second")
            try await second.connect(port: scenario.bridge.port, Self.delayed(250))
            #expect(try await observer.message().text == "gone")
            try await second.disconnect()
        }
    }

    /// [MQTT-3.14.4-3]. DISCONNECT may also shorten the session, and with it the delay of the will.
    @Test func disconnectMayAskForTheWill() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let device = try await scenario.device("device", Self.delayed(200))
            try await device.disconnect(["reason_code": 4, "properties": ["SessionExpiryInterval": 0]])
            #expect(try await observer.message().text == "gone")
            let normal = try await scenario.device("device", Self.delayed(0))
            try await normal.disconnect()
            try await observer.publish("will/marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "will/marker")
        }
    }

    /// The device falls silent in the middle of a message. A will on the same stream would become part of that message.
    @Test(arguments: [UInt8(4), 5])
    func aDeviceThatIsCutOffInAMessageHasItsWillPublished(level: UInt8) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#", "up")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("cut", level: level, will: ("will/cut", "gone")) == 0)
            let whole = RawMQTT.publish(
                "up", [UInt8](repeating: 7, count: 900_000), packetID: 1, properties: level == 5 ? [] : nil)
            try await device.send(Array(whole.prefix(600_000)))
            _ = try await scenario.front.events.first("bytes on a data stream") {
                $0.event == "stream_opened" && $0.stream != 0
            }
            await device.close()
            #expect(try await observer.message().topic == "will/cut")
            let neighbour = try await scenario.device("neighbour")
            try await neighbour.publish("up", "fine", qos: 1)
            #expect(try await observer.message().text == "fine")
        }
    }

    @Test func aWillIsRoutedAndRefusedByRoutes() async throws {
        var options = Scenario.Options()
        options.configuration = """
            routes:
              - {local: "status", remote: "devices/${clientid}/status", direction: up, max_qos: 1}
            unrouted: reject
            """
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("devices/#")
            let will: JSONValue = ["topic": "status", "payload": ["text": "offline"], "qos": 2]
            let device = try await scenario.device("d1", ["version": "5.0", "will": will])
            try await device.vanish()
            let message = try await observer.message()
            #expect(message.topic == "devices/d1/status" && message.qos == 1)
            let refused = try await scenario.client("d2").tryConnect(
                port: scenario.bridge.port, ["version": "5.0", "will": Self.will()])
            #expect(refused.event == "connected" && refused.code ?? 0 >= 0x80)
        }
    }
}

import Testing

/// Bytes that no MQTT client sends. The sender is disconnected, the broker sees nothing that is not a packet, and other
/// devices do not notice.
@Suite(.timeLimit(.minutes(20)))
struct HostileInputTests {
    struct Input: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        /// Whether the input begins with a CONNECT. If the broker sees the device, it is up to the broker to judge
        /// that.
        var isConnect = false
    }

    private static let inputs = [
        Input(testDescription: "random bytes", bytes: (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7919 &+ 131) }),
        Input(testDescription: "TLS ClientHello", bytes: clientHello),
        Input(testDescription: "HTTP", bytes: Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)),
        Input(testDescription: "zeros", bytes: [UInt8](repeating: 0, count: 100)),
        Input(testDescription: "PUBLISH before CONNECT", bytes: RawMQTT.publish("a", [1])),
        Input(testDescription: "length of five bytes", bytes: [0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
        Input(testDescription: "CONNECT of 256 MB", bytes: [0x10, 0xFF, 0xFF, 0xFF, 0x7F]),
        Input(
            testDescription: "CONNECT flags reserved", bytes: [0x11] + RawMQTT.connect("a").dropFirst(), isConnect: true
        ),
        Input(
            testDescription: "unknown protocol",
            bytes: RawMQTT.packet(0x10, RawMQTT.string("AMQP") + [4, 2, 0, 60, 0, 0]), isConnect: true),
        Input(testDescription: "unknown version", bytes: RawMQTT.connect("a", level: 9), isConnect: true),
        Input(
            testDescription: "CONNECT without an end",
            bytes: RawMQTT.packet(0x10, RawMQTT.string("MQTT") + [4, 2, 0]), isConnect: true),
    ]

    private static var clientHello: [UInt8] {
        let random = [UInt8](repeating: 0xAB, count: 32)
        let body: [UInt8] = [0x03, 0x03] + random + [0x00, 0x00, 0x02, 0x13, 0x01, 0x01, 0x00]
        return [0x16, 0x03, 0x01, 0x00, UInt8(body.count + 4), 0x01, 0x00, 0x00, UInt8(body.count)] + body
    }

    @Test func garbageEndsItsSenderAlone() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up")
            let neighbour = try await scenario.device("neighbour")
            for input in Self.inputs {
                let device = try await RawDevice.connect(port: scenario.bridge.port)
                // The other side may close the connection before the last byte is written.
                try? await device.send(input.bytes)
                let answer = try await device.closed()
                // The only possible answer is a CONNACK that refuses the device.
                #expect(answer.isEmpty || answer.first == 0x20, "\(input.testDescription)")
                try await neighbour.publish("up", .text(input.testDescription), qos: 1)
                #expect(try await observer.message().text == input.testDescription)
            }
            let connections = try await scenario.farEnd.front?.reported().filter { $0.event == "connection" }
            let passedOn = TestMapping.current == .connection ? Self.inputs.count(where: \.isConnect) : 0
            #expect(connections == nil || connections?.count == 1 + passedOn)
        }
    }

    /// Malformed packets from a device that is already connected.
    @Test(arguments: [
        Input(testDescription: "QoS 3", bytes: [0x36, 0x05, 0x00, 0x01, 0x61, 0x00, 0x01]),
        Input(testDescription: "packet type 0", bytes: [0x00, 0x00]),
        Input(testDescription: "SUBSCRIBE flags", bytes: [0x80, 0x06, 0x00, 0x01, 0x00, 0x01, 0x61, 0x00]),
        Input(testDescription: "length of five bytes", bytes: [0x30, 0x80, 0x80, 0x80, 0x80, 0x01]),
        Input(testDescription: "a server's packet", bytes: [0x20, 0x02, 0x00, 0x00]),
    ])
    func malformedPacketsEndTheirSenderAlone(input: Input) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will", "up")
            let neighbour = try await scenario.device("neighbour")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("hostile", will: ("will", "gone")) == 0)
            try await device.send(input.bytes)
            _ = try await device.closed()
            #expect(try await observer.message().topic == "will")
            try await neighbour.publish("up", "fine", qos: 1)
            #expect(try await observer.message().text == "fine")
        }
    }

    @Test(arguments: [0, 1, 10])
    func aDeviceThatDoesNotFinishItsConnectIsClosed(sent: Int) async throws {
        var options = Scenario.Options()
        options.configuration = "limits: {connect_within: 1s}"
        try await Scenario.run(options) { scenario in
            let start = ContinuousClock.now
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(Array(RawMQTT.connect("half").prefix(sent)))
            #expect(try await device.closed().isEmpty)
            #expect(ContinuousClock.now - start >= .seconds(0.9))
            let connections = try await scenario.farEnd.front?.reported().filter { $0.event == "connection" }
            #expect(connections?.isEmpty ?? true)
        }
    }

    @Test func halfAPacketAndTheEndIsAVanishedDevice() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will", "up")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", will: ("will", "gone")) == 0)
            try await device.send(Array(RawMQTT.publish("up", [1, 2, 3]).dropLast()))
            await device.close()
            #expect(try await observer.message().topic == "will")
        }
    }
}

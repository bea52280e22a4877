import Testing

/// Messages on data streams: what a device may expect although it has no session with the broker.
@Suite(.mapping(.dataStream), .timeLimit(.minutes(20)))
struct DataStreamFlowTests {
    @Test(arguments: ["3.1", "3.1.1", "5.0"])
    func everyQoSPassesBothWays(version: String) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up/#")
            let device = try await scenario.device("device", ["version": .string(version)])
            #expect(try await device.subscribe("down/#", qos: 2) == [2])
            for round in 0..<3 {
                for qos in 0...2 {
                    let text = "\(round)/\(qos)"
                    try await device.publish("up/\(qos)", .text(text), qos: qos)
                    let up = try await observer.message()
                    #expect(up.text == text && up.qos == qos)
                    try await observer.publish("down/\(qos)", .text(text), qos: qos)
                    let down = try await device.message()
                    #expect(down.text == text && down.qos == qos)
                }
            }
            #expect(try await device.unsubscribe("down/#").allSatisfy { $0 == 0 })
            try await device.publish("up/pubcomp", "done", qos: 2)
        }
    }

    /// Each stream has its own packet identifiers and subscriptions, so equal ones on two streams do not collide.
    @Test func devicesDoNotCollide() async throws {
        var options = Scenario.Options()
        options.configuration = "threads: 1"
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up/#")
            var devices: [RawDevice] = []
            for index in 0..<5 {
                let device = try await RawDevice.connect(port: scenario.bridge.port)
                #expect(try await device.connect("d\(index)") == 0)
                try await device.send(RawMQTT.subscribe("down/\(index)", packetID: 1, qos: 1))
                #expect(try await device.packet().body == [0, 1, 1])
                devices.append(device)
            }
            for (index, device) in devices.enumerated() {
                try await device.send(RawMQTT.publish("up/\(index)", [UInt8(index)], packetID: 1))
                let answer = try await device.packet()
                #expect(answer.first == 0x40 && answer.body == [0, 1])
                #expect(try await observer.message().topic == "up/\(index)")
            }
            for (index, device) in devices.enumerated() {
                try await observer.publish("down/\(index)", .text("\(index)"), qos: 1)
                let message = try await device.packet()
                #expect(message.first & 0xF0 == 0x30 && message.body.last == UInt8(ascii: "0") + UInt8(index))
                try await device.send(RawMQTT.pingreq)
                #expect(try await device.packet().first == 0xD0)
            }
            #expect(try await scenario.gatewaySessions == ["gateway-1"])
        }
    }

    /// The broker knows only the gateway's Receive Maximum, so the bridge has to honour the device's.
    @Test(arguments: [UInt8(1), 2])
    func theReceiveMaximumOfADeviceIsHonoured(qos: UInt8) async throws {
        let (number, limit) = (8, 2)
        try await Scenario.run { scenario in
            let observer = try await scenario.observer()
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("d", level: 5, properties: [0x21, 0, UInt8(limit)]) == 0)
            try await device.send(RawMQTT.subscribe("down", qos: qos, level: 5))
            #expect(try await device.packet().first == 0x90)
            let start = try await scenario.front.events.count
            for index in 0..<number { try await observer.publish("down", .text("\(index)"), qos: Int(qos)) }
            // All messages have reached the bridge, or are on their way to it.
            var seen = start
            for _ in 0..<number {
                _ = try await scenario.front.events.first("a delivery", from: seen) {
                    $0.event == "packet" && $0.type == "PUBLISH" && $0.sender == "broker"
                }
                let all = try await scenario.front.reported()
                seen = (all[seen...].firstIndex { $0.type == "PUBLISH" && $0.sender == "broker" } ?? seen) + 1
            }
            var inFlight: [[UInt8]] = []
            for index in 0..<number {
                let message = try await device.packet()
                #expect(message.first == 0x30 | qos << 1, "\(index)")
                #expect(message.body.last == UInt8(ascii: "0") + UInt8(index))
                inFlight.append(Array(message.body[6...7]))
                guard inFlight.count == limit else { continue }
                // The next packet is the answer, and not a third message.
                try await device.send(RawMQTT.pingreq)
                #expect(try await device.packet().first == 0xD0)
                try await acknowledge(inFlight.removeFirst(), qos, device)
            }
        }
    }

    private func acknowledge(_ packetID: [UInt8], _ qos: UInt8, _ device: RawDevice) async throws {
        guard qos == 2 else { return try await device.send(RawMQTT.packet(0x40, packetID)) }
        try await device.send(RawMQTT.packet(0x50, packetID))
        let release = try await device.packet()
        #expect(release.first == 0x62 && Array(release.body.prefix(2)) == packetID)
        try await device.send(RawMQTT.packet(0x70, packetID))
    }

    /// [MQTT-3.1.2-24]: a message that is too large is not sent, and the others continue to flow.
    @Test(arguments: [0, 1, 2])
    func theMaximumPacketSizeOfADeviceIsHonoured(qos: Int) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up")
            let device = await scenario.client("device")
            try await device.connect(
                port: scenario.bridge.port, ["version": "5.0", "properties": ["MaximumPacketSize": 100]])
            try await device.subscribe("down", qos: qos)
            for round in 0..<3 {
                try await observer.publish("down", .size(200), qos: qos)
                // This message is passed on in pieces.
                try await observer.publish("down", .size(300_000), qos: qos)
                try await observer.publish("down", .text("small \(round)"), qos: qos)
                #expect(try await device.message().text == "small \(round)")
            }
            // The device itself may send everything that the broker accepts.
            try await device.publish("up", .size(1_000), qos: qos)
            #expect(try await observer.message().size == 1_000)
        }
    }

    /// A subscriber that does not read does not delay the other devices in the gateway's session.
    @Test func aSlowReaderDelaysNoOtherDevice() async throws {
        var options = Scenario.Options()
        options.configuration = "threads: 1"
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let slow = try await RawDevice.connect(port: scenario.bridge.port, receiveBuffer: 4096)
            #expect(try await slow.connect("slow") == 0)
            try await slow.send(RawMQTT.subscribe("big"))
            #expect(try await slow.packet().first == 0x90)
            try await slow.read(false)
            let neighbour = try await scenario.device("neighbour")
            try await neighbour.subscribe("small", qos: 1)
            for round in 0..<10 {
                for _ in 0..<5 { try await observer.publish("big", .size(100_000)) }
                try await neighbour.publish("up", .text("\(round)"), qos: 1)
                #expect(try await observer.message().text == "\(round)")
                try await observer.publish("small", .text("\(round)"), qos: 1)
                #expect(try await neighbour.message().text == "\(round)")
            }
            #expect(try await scenario.gatewaySessions == ["gateway-1"])
            await slow.close()
            try await neighbour.publish("up", "after", qos: 1)
            #expect(try await observer.message().text == "after")
        }
    }

    /// Devices disconnect before they are accepted. Their messages are delivered, and the bridge keeps nothing of them,
    /// although its own answers cannot reach them.
    @Test(arguments: [false, true])
    func aDeviceThatDoesNotWaitLeavesNothing(hasSession: Bool) async throws {
        var options = Scenario.Options()
        options.configuration = "threads: 1"
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up", "will")
            if hasSession { _ = try await scenario.device("first") }
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(
                RawMQTT.connect("hasty", keepAlive: 0, will: ("will", "gone"))
                    + RawMQTT.pingreq + RawMQTT.publish("up", [0x61]) + RawMQTT.pingreq + RawMQTT.pingreq)
            await device.close()
            #expect(try await observer.message().topic == "up")
            #expect(try await observer.message().topic == "will")
            try await scenario.gone("hasty")
        }
    }

    /// The device is told of each packet that the broker refuses, and the stream continues.
    @Test func theBrokersRefusalsPass() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let rules = try folder.write("acl", "topic readwrite allowed/#\n")
        var options = Scenario.Options()
        options.broker.lines = ["acl_file \(rules)"]
        try await Scenario.run(options) { scenario in
            let device = try await scenario.device("device", ["version": "5.0"])
            #expect(try await device.publish("denied", "x", qos: 1).code == 0x87)
            #expect(try await device.subscribe("allowed/#", qos: 1) == [1])
            #expect(try await device.publish("allowed/x", "x", qos: 1).code == 0)
            #expect(try await device.message().topic == "allowed/x")
        }
    }
}

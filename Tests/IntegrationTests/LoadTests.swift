import Testing

/// Many devices, and devices that are slow.
@Suite(.timeLimit(.minutes(20)))
struct LoadTests {
    @Test func threeHundredDevicesAtOnce() async throws {
        let number = 300
        var options = Scenario.Options()
        options.alone = true
        options.front.reportsPackets = false
        // The front is a single Python process, which needs a while for 300 handshakes at once.
        options.uplink = ["connect_timeout: 60s"]
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up/#")
            let idle = try scenario.bridge.memory("VmRSS")
            let devices = try await withThrowingTaskGroup(of: PahoClient.self) { group in
                for index in 0..<number {
                    group.addTask { try await scenario.device("device-\(index)", ["keep_alive": 600]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let connected = try scenario.bridge.memory("VmRSS")
            print("memory: \(idle) KiB with no device, \(connected) KiB with \(number) idle devices")
            for device in devices {
                try await device.subscribe("down/\(device.name)", qos: 1)
                try await device.startPublishing("up/\(device.name)", .text(device.name), qos: 1)
            }
            var heard: Set<String> = []
            for _ in devices {
                let message = try await observer.message()
                #expect(message.topic == "up/\(message.text ?? "")")
                heard.insert(message.text ?? "")
            }
            #expect(heard == Set(devices.map(\.name)))
            for device in devices {
                try await observer.startPublishing("down/\(device.name)", .text(device.name), qos: 1)
            }
            for device in devices {
                #expect(try await device.message().text == device.name)
            }
        }
    }

    @Test func aDeviceThatDoesNotReadIsNotBufferedFor() async throws {
        let number = 200
        let size = 100_000
        var options = Scenario.Options()
        options.alone = true
        options.front.reportsPackets = false
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let neighbour = try await scenario.device("neighbour")
            let slow = try await RawDevice.connect(port: scenario.bridge.port, receiveBuffer: 4096)
            #expect(try await slow.connect("slow", keepAlive: 0) == 0)
            try await slow.send(RawMQTT.subscribe("flood", qos: 0))
            #expect(try await slow.packet().first == 0x90)
            try await slow.read(false)
            try scenario.bridge.forgetHighestMemory()
            let before = try scenario.bridge.memory("VmHWM")

            for _ in 0..<number {
                try await observer.publish("flood", .size(size), qos: 1)
            }
            // Other devices do not notice.
            try await neighbour.publish("up", "fine", qos: 1)
            #expect(try await observer.message().text == "fine")

            try await slow.read(true)
            for _ in 0..<number {
                let packet = try await slow.packet()
                #expect(packet.first == 0x30 && packet.body.count == size + 7)
            }
            let grown = try scenario.bridge.memory("VmHWM") - before
            print("memory: highest \(grown) KiB above the start for 20 MB to a device that did not read")
            #expect(grown < 4_000, "grew by \(grown) KiB")
            await slow.close()
        }
    }

    /// The broker's side does not read, so the bridge stops reading from the device.
    @Test func aBrokerThatDoesNotReadIsNotBufferedFor() async throws {
        var options = Scenario.Options()
        options.alone = true
        options.uplink = ["idle_timeout: 60s"]
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("flood")
            let fast = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await fast.connect("fast", keepAlive: 0) == 0)
            try scenario.bridge.forgetHighestMemory()
            let before = try scenario.bridge.memory("VmHWM")
            try await scenario.farEnd.mute(true)
            let flood = RawMQTT.publish("flood", [UInt8](repeating: 1, count: 100_000))
            // The write completes only when the front receives again.
            async let written: Void = {
                for _ in 0..<100 {
                    try await fast.send(flood)
                }
            }()
            // No event shows that the bridge has stopped reading. On a slow machine this test proves less, but it never
            // fails wrongly.
            try await Task.sleep(for: .seconds(1))
            let grown = try scenario.bridge.memory("VmHWM") - before
            print("memory: highest \(grown) KiB above the start for 10 MB to a broker that did not read")
            #expect(grown < 4_000, "grew by \(grown) KiB")
            try await scenario.farEnd.mute(false)
            try await written
            for _ in 0..<100 {
                #expect(try await observer.message().size == 100_000)
            }
            await fast.close()
        }
    }
}

import Foundation
import Testing

/// The uplink is lost for a while. The device's TCP connection stays open, and what was sent meanwhile arrives.
@Suite(.timeLimit(.minutes(20)))
struct HoldTests {
    private static func options(_ uplink: [String]) -> Scenario.Options {
        var options = Scenario.Options.onOneLoop(uplink: uplink + Uplink.hold())
        options.relayed = true
        return options
    }

    private static let numbers = (1...5).map(String.init)

    /// Publishes the numbers at each QoS without waiting for the acknowledgements.
    private func startPublishing(_ device: PahoClient, _ prefix: String) async throws -> [PahoEvent] {
        var sent: [PahoEvent] = []
        for number in Self.numbers {
            for qos in 0...2 {
                sent.append(try await device.startPublishing("\(prefix)/\(qos)", .text(number), qos: qos))
            }
        }
        return sent
    }

    /// The QUIC connection survives, but nothing passes for a while. Then nothing at all is lost.
    @Test(arguments: DeviceKind.all)
    func aSilenceIsNotNoticed(kind: DeviceKind) async throws {
        try await Scenario.run(Self.options(["idle_timeout: 120s"])) { scenario in
            let observer = try await scenario.observer("up/#")
            let device = try await scenario.device("device-1", kind.fields())
            try await device.subscribe("down/#")
            try await scenario.relay.blackOut(true)
            let first = try await startPublishing(device, "up")
            _ = try await startPublishing(observer, "down")
            try await scenario.holds()
            let second = try await startPublishing(device, "up/later")
            try await scenario.relay.blackOut(false)
            try await device.acknowledged(first + second)
            try await device.publish("up/end", "end", qos: 2)
            let up = try await observer.messages(until: "up/end")
            for topic in ["up", "up/later"] {
                for qos in 0...2 { #expect(up["\(topic)/\(qos)"] == Self.numbers) }
            }
            try await observer.publish("down/end", "end", qos: 2)
            let down = try await device.messages(until: "down/end")
            for qos in 0...2 { #expect(down["down/\(qos)"] == Self.numbers) }
            #expect(await !device.wasDisconnected)
        }
    }

    /// The QUIC connection is lost, and the bridge makes a new one without the device noticing.
    @Test(arguments: DeviceKind.all)
    func aLossIsNotNoticed(kind: DeviceKind) async throws {
        try await Scenario.run(Self.options(Uplink.brisk)) { scenario in
            let observer = try await scenario.observer("up/#")
            let device = try await scenario.device("device-1", kind.fields(keepAlive: 3))
            try await device.subscribe("down/#")
            try await device.publish("up/before", "before", qos: 1)
            #expect(try await observer.message().text == "before")
            try await scenario.relay.blackOut(true)
            let first = try await startPublishing(device, "up")
            _ = try await startPublishing(observer, "down")
            try await scenario.holds()
            try await scenario.isForgotten()
            let second = try await startPublishing(device, "up/later")
            try await scenario.relay.blackOut(false)
            try await device.acknowledged(first + second)
            try await device.publish("up/end", "end", qos: 2)
            try await expectUp(observer.messages(until: "up/end"))
            try await observer.publish("down/end", "end", qos: 2)
            try await expectDown(device.messages(until: "down/end"), kind)
            #expect(await !device.wasDisconnected)
        }
    }

    private func expectUp(_ up: [String: [String]]) {
        // QoS 0 messages in flight are lost with their connection.
        let zero = up["up/0"] ?? []
        #expect(zero == Self.numbers.filter(zero.contains))
        #expect(up["up/later/0"] == Self.numbers)
        for topic in ["up", "up/later"] {
            #expect(up["\(topic)/1"]?.firsts == Self.numbers)
            // Over a data stream there is no session left that could know which messages had arrived.
            let two = up["\(topic)/2"]
            #expect((TestMapping.current == .dataStream ? two?.firsts : two) == Self.numbers)
        }
    }

    private func expectDown(_ down: [String: [String]], _ kind: DeviceKind) {
        for qos in 0...2 {
            let texts = down["down/\(qos)"] ?? []
            let firsts = texts.firsts
            #expect(qos == 1 || texts == firsts, "duplicates at QoS \(qos)")
            if kind.outlivesItsConnection && qos > 0 {
                #expect(firsts == Self.numbers)
            } else {
                #expect(firsts == Self.numbers.filter(firsts.contains))
            }
        }
    }

    /// The device sends one ping before the silence is noticed, and others while it is held.
    @Test func pingsAreAnsweredMeanwhile() async throws {
        try await Scenario.run(Self.options(["idle_timeout: 120s"])) { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw") == 0)
            try await scenario.relay.blackOut(true)
            for _ in 0..<3 {
                try await device.send(RawMQTT.pingreq)
                #expect(try await device.receive(2) == [0xD0, 0x00])
            }
            try await scenario.relay.blackOut(false)
            try await device.send(RawMQTT.publish("up", [0x61], packetID: 7))
            #expect(try await device.receive(4) == [0x40, 2, 0, 7])
            // No ping is answered twice.
            try await device.send(RawMQTT.publish("up", [0x61], packetID: 8))
            #expect(try await device.receive(4) == [0x40, 2, 0, 8])
            await device.close()
        }
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func subscriptionsAreChangedMeanwhile(version: String) async throws {
        try await Scenario.run(Self.options(Uplink.brisk)) { scenario in
            let observer = try await scenario.observer()
            let device = try await scenario.device("device-1", ["version": .string(version), "keep_alive": 3])
            try await device.subscribe("down/kept", "down/given-up")
            try await scenario.relay.blackOut(true)
            // The silence is only noticed if something has to be answered.
            async let new = device.subscribe("down/new")
            try await scenario.isForgotten()
            try await scenario.relay.blackOut(false)
            #expect(try await new == [2])
            try await device.unsubscribe("down/given-up")
            for topic in ["down/given-up", "down/kept", "down/new", "down/kept"] {
                try await observer.publish(topic, .text(topic), qos: 1)
            }
            for topic in ["down/kept", "down/new", "down/kept"] {
                #expect(try await device.message().text == topic)
            }
            #expect(await !device.wasDisconnected)
        }
    }

    @Test(arguments: [0, 1_000])
    func aMessageWhoseTimeEndsMeanwhileIsDropped(sessionExpiry: Int) async throws {
        try await Scenario.run(Self.options(Uplink.brisk)) { scenario in
            let observer = try await scenario.observer("up/#")
            let device = try await scenario.device(
                "device-1",
                ["version": "5.0", "keep_alive": 3, "properties": ["SessionExpiryInterval": .int(sessionExpiry)]])
            try await scenario.relay.blackOut(true)
            // The silence is only noticed if something has to be answered.
            var sent = [try await device.startPublishing("up/before", "before", qos: 1)]
            try await scenario.holds()
            for (topic, seconds) in [("up/short", 1), ("up/long", 1_000)] {
                for qos in 1...2 {
                    let properties = ["MessageExpiryInterval": JSONValue.int(seconds)]
                    sent.append(
                        try await device.startPublishing(topic, .text("\(qos)"), qos: qos, properties: properties))
                }
            }
            try await scenario.isForgotten()
            // It is the time itself that matters here.
            try await Task.sleep(for: .seconds(2))
            try await scenario.relay.blackOut(false)
            for publish in sent { try await device.acknowledged(publish) }
            #expect(try await observer.message().text == "before")
            for qos in 1...2 {
                let message = try await observer.message()
                #expect(message.topic == "up/long" && message.text == "\(qos)")
                guard case .int(let left)? = message.properties?["MessageExpiryInterval"] else {
                    Issue.record("no Message Expiry Interval")
                    return
                }
                #expect((1..<1_000).contains(left))
            }
            // The packet identifiers are free again.
            for number in 1...5 { try await device.publish("up/later", .text("\(number)"), qos: 2) }
            for number in 1...5 { #expect(try await observer.message().text == "\(number)") }
            #expect(await !device.wasDisconnected)
        }
    }

    /// What does not fit into the device's hold memory waits at the device, so nothing is dropped.
    @Test func aFullHoldMemoryStopsTheDevice() async throws {
        var options = Self.options(Uplink.brisk)
        options.uplink += ["hold_buffer: 64KiB"]
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", keepAlive: 0) == 0)
            try await scenario.relay.blackOut(true)
            let number = 300
            // This is more than all buffers on the way can take, so some of it is still unwritten when the uplink is
            // back.
            async let written: Void = send(number, of: 20_000, by: device)
            try await scenario.holds()
            try await scenario.isForgotten()
            try await scenario.relay.blackOut(false)
            try await written
            var sizes: Set<Int> = []
            for _ in 0..<number { sizes.insert(try await observer.message().size ?? 0) }
            #expect(sizes == Set((1...number).map { 20_000 + $0 }))
            #expect(await !device.isClosed)
            await device.close()
        }
    }

    /// All held devices share `hold_buffer_total`, so nothing more is read from any of them while one has used it up.
    @Test func aDeviceThatLeavesMakesRoomForOthers() async throws {
        var options = Self.options(["idle_timeout: 120s"])
        options.uplink += ["hold_buffer: 64KiB", "hold_buffer_total: 64KiB"]
        try await Scenario.run(options) { scenario in
            let greedy = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await greedy.connect("greedy", keepAlive: 0) == 0)
            let modest = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await modest.connect("modest", keepAlive: 0) == 0)
            try await scenario.relay.blackOut(true)
            try await send(2, of: 40_000, by: greedy)
            try await modest.send(RawMQTT.pingreq)
            #expect(try await modest.receive(2) == [0xD0, 0x00])
            try await scenario.holds(2)
            try await modest.send(RawMQTT.pingreq)
            // When the bridge has closed this connection, it has also read the ping.
            let other = try await RawDevice.connect(port: scenario.bridge.port)
            try await other.send(RawMQTT.pingreq)
            _ = try await other.closed()
            await greedy.close()
            #expect(try await modest.receive(2) == [0xD0, 0x00])
            await modest.close()
        }
    }

    private func send(_ number: Int, of size: Int, by device: RawDevice) async throws {
        for index in 1...number {
            let payload = [UInt8](repeating: 0x61, count: size + index)
            try await device.send(RawMQTT.publish("up", payload, packetID: UInt16(index)))
        }
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func aHoldThatLastsTooLongIsEnded(version: String) async throws {
        var options = Scenario.Options.onOneLoop(uplink: Uplink.brisk + Uplink.hold("2s"))
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let device = try await scenario.device("device-1", ["version": .string(version), "keep_alive": 6])
            try await scenario.relay.blackOut(true)
            let end = try await device.disconnected()
            let code = TestMapping.current == .dataStream ? 0x8B : 0x80
            if version == "5.0" { #expect(end.fromServer == true && end.code == code) }
            try await scenario.bridgeLogs("session ended", "client_id=device-1")
            try await scenario.relay.blackOut(false)
            try await eventuallyConnects(scenario, "later")
        }
    }

    @Test func aDeviceIsNotHeldIfTheConfigurationSaysSo() async throws {
        var options = Scenario.Options.onOneLoop(uplink: Uplink.brisk + Uplink.close)
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", level: 5, keepAlive: 0) == 0)
            try await scenario.relay.blackOut(true)
            #expect(try await device.packet().first == 0xE0)
            _ = try await device.closed()
            #expect(await scenario.bridgeSaid("session held") == 0)
        }
    }

    /// The bridge asks the broker to keep the session so that nothing is lost, but not for longer than the device is
    /// connected.
    @Test(.mapping(.connection, .mux), arguments: [true, false])
    func noSessionIsLeftAtTheBroker(says goodbye: Bool) async throws {
        try await Scenario.run(Self.options([])) { scenario in
            let device = try await scenario.device("device-1", ["version": "5.0"])
            try await device.subscribe("down/#")
            if goodbye { try await device.disconnect() } else { try await device.vanish() }
            try await scenario.gone("device-1")
            let same = await scenario.client("same")
            let connected = try await same.connect(
                port: scenario.broker.port, ["version": "5.0", "clean": false, "client_id": "device-1"])
            #expect(connected.sessionPresent == false)
        }
    }

    /// The broker cannot be told that the device has gone, and keeps the session for the time that the bridge asked for.
    /// The device, which knows nothing of that session, uses a packet identifier again that is not free in it.
    @Test(.mapping(.mux)) func aSessionThatWasLeftAtTheBrokerIsNotFound() async throws {
        try await Scenario.run(Self.options(Uplink.brisk)) { scenario in
            let observer = try await scenario.observer("up")
            let first = try await RawDevice.connect(port: scenario.bridge.port)
            try await first.send(RawMQTT.connect("raw", level: 5, keepAlive: 3, isClean: false))
            #expect(try await first.packet().body.prefix(2) == [0, 0])
            try await first.send(RawMQTT.publish("up", [0x61], packetID: 1, qos: 2, properties: []))
            #expect(try await first.packet().first == 0x50)
            try await scenario.relay.blackOut(true)
            try await first.send(RawMQTT.publish("up", [0x62], packetID: 2, properties: []))
            try await scenario.holds()
            await first.close()
            try await scenario.bridgeLogs("session ended", "client_id=raw")
            try await scenario.isForgotten()
            try await scenario.relay.blackOut(false)
            try await eventuallyConnects(scenario, "other")
            let second = try await RawDevice.connect(port: scenario.bridge.port)
            try await second.send(RawMQTT.connect("raw", level: 5, isClean: false))
            #expect(try await second.packet().body.prefix(2) == [0, 0], "Session Present, reason code")
            try await second.send(RawMQTT.publish("up", [0x63], packetID: 1, qos: 2, properties: []))
            #expect(try await second.packet().first == 0x50)
            try await second.send([0x62, 2, 0, 1])
            #expect(try await second.packet().first == 0x70)
            #expect(try await observer.message().text == "c")
            await second.close()
        }
    }

    /// The device leaves while the uplink is lost, so the bridge must not connect again in its name.
    @Test func aHeldDeviceMayLeave() async throws {
        try await Scenario.run(Self.options(Uplink.brisk)) { scenario in
            let will: JSONValue = ["topic": "will", "payload": ["text": "gone"], "qos": 1]
            let observer = try await scenario.observer("will")
            let device = try await scenario.device("device-1", ["will": will, "keep_alive": 2])
            try await scenario.relay.blackOut(true)
            try await scenario.holds()
            try await device.vanish()
            try await scenario.bridgeLogs("session ended", "client_id=device-1")
            if TestMapping.current == .dataStream {
                // The bridge would have to publish the will, but has no uplink for it.
                try await scenario.bridgeLogs("will is lost", "client_id=device-1")
            } else {
                #expect(try await observer.message().text == "gone")
            }
            try await scenario.relay.blackOut(false)
            try await eventuallyConnects(scenario, "later")
            #expect(await scenario.bridgeSaid("session resumed on a new uplink leg") == 0)
        }
    }
}

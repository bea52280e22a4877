import Testing

/// Devices that send and then shut down their sending side, as `nc -N` and many scripts do, and devices whose last
/// packet is malformed. The packets before that are answered.
@Suite(.timeLimit(.minutes(20)))
struct LastWordsTests {
    /// Returns the types of the packets that come until the connection is closed.
    private func answers(_ device: RawDevice) async throws -> [UInt8] {
        var rest = try await device.closed()[...]
        var types: [UInt8] = []
        while let first = rest.popFirst(), let length = rest.popFirst() {
            types.append(first)
            rest = rest.dropFirst(Int(length))
        }
        return types
    }

    @Test(arguments: [UInt8(3), 4, 5])
    func aDeviceThatShutsDownItsSendingSideGetsItsAnswers(level: UInt8) async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("last/#")
            let properties: [UInt8]? = level == 5 ? [] : nil
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(
                RawMQTT.connect("device-1", level: level, will: ("last/will", "gone"))
                    + RawMQTT.publish("last/1", [1], packetID: 1, properties: properties)
                    + RawMQTT.publish("last/2", [2], packetID: 2, qos: 2, properties: properties) + RawMQTT.pingreq)
            try await device.finish()
            // PINGRESP may come from the bridge itself.
            #expect(try await answers(device).filter { $0 != 0xD0 } == [0x20, 0x40, 0x50])
            #expect(try await observer.message().topic == "last/1")
            #expect(try await observer.message().text == "gone")
        }
    }

    @Test(arguments: [UInt8(4), 5])
    func connectAloneIsAnswered(level: UInt8) async throws {
        try await Scenario.run { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(RawMQTT.connect("device-1", level: level))
            try await device.finish()
            #expect(try await answers(device) == [0x20])
        }
    }

    @Test func everythingInOneSegment() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("last/#")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(
                RawMQTT.connect("device-1", will: ("last/will", "gone"))
                    + RawMQTT.publish("last/1", [1], packetID: 1) + RawMQTT.disconnect)
            try await device.finish()
            #expect(try await answers(device) == [0x20, 0x40])
            #expect(try await observer.message().topic == "last/1")
            try await scenario.gone("device-1")
            try await observer.publish("last/marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "last/marker")
        }
    }

    /// A packet of type 0 is malformed in every version. A 5.0 device is told so.
    @Test(arguments: [UInt8(4), 5])
    func goodPacketsBeforeABadOneAreAnswered(level: UInt8) async throws {
        try await Scenario.run { scenario in
            let properties: [UInt8]? = level == 5 ? [] : nil
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(
                RawMQTT.connect("device-1", level: level)
                    + RawMQTT.publish("last/1", [1], packetID: 1, properties: properties) + [0x00, 0x00])
            #expect(try await answers(device) == [0x20, 0x40] + (level == 5 ? [0xE0] : []))
        }
    }
}

import Foundation
import Testing

/// The last packets of a device's connection reach the broker before the first ones of its next connection, as they
/// would at the broker's own TCP port.
@Suite(.timeLimit(.minutes(20)))
struct ReconnectOrderTests {
    private static let times = 100

    /// The will of a session that ended with DISCONNECT is not published, and its last message is not lost, even if the
    /// device connects again at once.
    @Test(.mapping(.connection, .mux), arguments: [4, 5] as [UInt8])
    func theNextConnectDoesNotOvertakeTheLastWords(level: UInt8) async throws {
        var options = Scenario.Options()
        options.front.reportsPackets = false
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("order/#")
            let properties: [UInt8]? = level == 5 ? [] : nil
            for number in 1...Self.times {
                let device = try await RawDevice.connect(port: scenario.bridge.port)
                #expect(try await device.connect("hasty", level: level, will: ("order/will", "\(number)")) == 0)
                try await device.send(
                    RawMQTT.publish("order/last", Array("\(number)".utf8), properties: properties)
                        + RawMQTT.disconnect)
                await device.close()
            }
            for number in 1...Self.times {
                let message = try await observer.message()
                #expect(message.topic == "order/last" && message.text == "\(number)")
            }
            try await scenario.gone("hasty")
            try await observer.publish("order/end", "", qos: 1)
            #expect(try await observer.message().topic == "order/end")
        }
    }

    /// A second device with the same client identifier is up to the broker: it takes over the first one's session, and
    /// both see what they would see at the broker itself.
    @Test(.mapping(.connection, .mux), arguments: [4, 5] as [UInt8])
    func aDeviceThatIsStillThereIsTakenOverByTheBroker(level: UInt8) async throws {
        try await Scenario.run { scenario in
            var previous: RawDevice?
            for _ in 1...6 {
                let device = try await RawDevice.connect(port: scenario.bridge.port)
                #expect(try await device.connect("twin", level: level) == 0)
                if let previous {
                    // Mosquitto 2.0 gives no reason, and the front gives the one that EMQX does.
                    let isTold = level == 5 && TestMapping.current == .connection
                    #expect(try await previous.closed() == (isTold ? [0xE0, 0x01, 0x8E] : []))
                }
                previous = device
            }
            await previous?.close()
        }
    }

    /// The held device lost its power while the uplink was lost. When it connects again, its own old session must not
    /// return and take the new one over.
    @Test(.mapping(.connection, .mux), arguments: [4, 5] as [UInt8], [true, false])
    func aHeldSessionMakesWayForItsDevice(level: UInt8, isHeldBefore: Bool) async throws {
        var options = Scenario.Options()
        options.relayed = true
        options.uplink = Uplink.brisk + Uplink.hold() + ["connect_timeout: 30s"]
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("ghost/#")
            let ghost = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await ghost.connect("ghost", level: level) == 0)
            try await scenario.relay.blackOut(true)
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            if !isHeldBefore {
                try await device.send(RawMQTT.connect("ghost", level: level))
                try await scenario.bridgeSays("device identified", times: 2)
            }
            // The silence is only noticed if something goes unanswered.
            try await ghost.send(RawMQTT.pingreq)
            if isHeldBefore {
                try await scenario.holds()
                try await device.send(RawMQTT.connect("ghost", level: level))
            }
            _ = try await ghost.closed()
            try await scenario.relay.blackOut(false)
            #expect(try await device.packet().first == 0x20)
            try await device.send(
                RawMQTT.publish("ghost/here", Array("yes".utf8), properties: level == 5 ? [] : nil))
            #expect(try await observer.message().text == "yes")
            try await device.send(RawMQTT.pingreq)
            #expect(try await device.packet().first == 0xD0)
            await device.close()
        }
    }

    /// The broker ends the session of a silent device whose next CONNECT is on its way. A CONNECT for the older
    /// session's will would come behind that one and end the new session.
    @Test(.mapping(.connection)) func aWillIsNotReclaimedBehindTheNextConnect() async throws {
        var options = Scenario.Options()
        options.farEnd = .serve
        options.uplink = Uplink.hold()
        try await Scenario.run(options) { scenario in
            scenario.broker.process.signal(SIGKILL)
            _ = try await scenario.broker.process.end()
            let broker = try await RawBroker.start(port: scenario.broker.port)
            let accepted: [UInt8] = [0x20, 3, 0, 0, 0]
            let silent: [UInt8] = [0xE0, 1, 0x8D]
            let (older, first) = try await connect("twin", through: scenario.bridge, to: broker)
            try await first.send(accepted)
            #expect(try await older.packet().first == 0x20)
            let (newer, second) = try await connect("twin", through: scenario.bridge, to: broker)
            try await first.send(silent)
            #expect(try await older.closed() == silent)
            try await second.send(accepted)
            #expect(try await newer.packet().first == 0x20)
            // A CONNECT for the will would have come before this one.
            let (other, third) = try await connect("other", through: scenario.bridge, to: broker)
            #expect(String(decoding: try await third.received(20), as: UTF8.self).contains("other"))
            try await third.send(accepted)
            #expect(try await other.packet().first == 0x20)
            #expect(await !newer.isClosed)
            for device in [newer, other] { await device.close() }
            await broker.stop()
        }
    }

    private func connect(
        _ clientID: String, through bridge: Bridge, to broker: RawBroker
    ) async throws -> (RawDevice, RawBroker.Connection) {
        let device = try await RawDevice.connect(port: bridge.port)
        try await device.send(RawMQTT.connect(clientID, level: 5, will: ("will", "gone")))
        let connection = try await broker.connection()
        _ = try await connection.received(20)
        return (device, connection)
    }
}

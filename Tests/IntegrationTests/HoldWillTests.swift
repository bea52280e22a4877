import Foundation
import Testing

/// What other clients see of a held device: its will, its own messages on the topic of its will, and its messages at
/// QoS 2.
@Suite(.timeLimit(.minutes(20)))
struct HoldWillTests {
    private static let will: JSONValue = [
        "topic": "lwt/device-1", "payload": ["text": "Offline"], "qos": 1, "retain": true,
    ]

    private static func options() -> Scenario.Options {
        var options = Scenario.Options.onOneLoop(uplink: Uplink.brisk + Uplink.hold())
        options.relayed = true
        return options
    }

    /// If a device's retained will is published while it is held, the bridge publishes its "Online" message again,
    /// without the device knowing. If the will can be delayed (5.0), nothing is published at all.
    @Test(arguments: ["3.1", "3.1.1", "5.0"])
    func noDeviceStaysOffline(version: String) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("lwt/#")
            let device = try await scenario.device(
                "device-1", ["version": .string(version), "will": Self.will, "keep_alive": 3])
            try await device.publish("lwt/device-1", "Online", qos: 1, retain: true)
            #expect(try await observer.message().text == "Online")
            try await scenario.relay.blackOut(true)
            let state = try await device.startPublishing("state", "alive", qos: 1)
            try await scenario.holds()
            try await scenario.isForgotten()
            let isOver = TestMapping.current == .dataStream
            if version != "5.0", !isOver { #expect(try await observer.message().text == "Offline") }
            try await scenario.relay.blackOut(false)
            try await device.acknowledged([state])
            if !isOver { #expect(try await observer.message().text == "Online") }
            let late = await scenario.client("late")
            try await late.connect(port: scenario.broker.port, ["client_id": "late"])
            try await late.subscribe("lwt/#")
            let kept = try await late.message()
            #expect(kept.text == "Online" && kept.retain == true)
            // The device still has its will.
            try await device.vanish()
            #expect(try await observer.message().text == "Offline")
            #expect(try await late.message().text == "Offline")
        }
    }

    /// The broker ends the session because of what the device sent. The will is published at once, even if the bridge
    /// had asked the broker to delay it.
    @Test(.mapping(.connection, .mux), arguments: [UInt8(4), 5])
    func aMistakeOfTheDeviceDoesNotDelayItsWill(level: UInt8) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("lwt/#")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("device-1", level: level, will: ("lwt/device-1", "Offline")) == 0)
            // This is a SUBSCRIBE without a filter.
            try await device.send(RawMQTT.packet(0x82, level == 5 ? [0, 1, 0] : [0, 1]))
            _ = try await device.closed()
            #expect(try await observer.message().text == "Offline")
            // The client identifier is free, and the bridge does not connect with it again.
            let again = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await again.connect("device-1", level: level) == 0)
            try await again.send(RawMQTT.pingreq)
            #expect(try await again.packet().first == 0xD0)
        }
    }

    /// Mosquitto 2.0 closes the connection of a device that is taken over without saying why. The bridge must not
    /// connect again in the device's name then, because that would end the session that has taken over.
    @Test(.mapping(.connection, .mux)) func theBridgeDoesNotReconnectAfterATakeover() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let first = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await first.connect("device-1", level: 5, will: ("lwt/device-1", "Offline")) == 0)
            let second = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await second.connect("device-1", level: 5, will: ("lwt/device-1", "Offline")) == 0)
            _ = try await first.closed()
            let third = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await third.connect("other", level: 5) == 0)
            try await second.send(RawMQTT.pingreq)
            #expect(try await second.packet().first == 0xD0)
        }
    }

    /// The broker has sent PUBREC, but forgets the session before it has passed the message on: Mosquitto does that
    /// only at PUBREL. (EMQX, the broker for data streams, does it at once.)
    @Test(.mapping(.connection, .mux), arguments: [UInt8(4), 5], [true, false])
    func aMessageThatTheBrokerHadNotPassedOnIsNotLost(level: UInt8, isReleasedMeanwhile: Bool) async throws {
        var options = Scenario.Options.onOneLoop(uplink: Uplink.brisk + Uplink.hold())
        options.broker.persistence = false
        try await Scenario.run(options) { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", level: level, keepAlive: 0) == 0)
            let properties: [UInt8]? = level == 5 ? [] : nil
            try await device.send(
                RawMQTT.publish("up", [0x61], packetID: 5, qos: 2, properties: properties))
            #expect(try await device.packet().first == 0x50)
            try await scenario.killBroker()
            try await scenario.holds()
            if isReleasedMeanwhile { try await device.send([0x62, 2, 0, 5]) }
            try await scenario.startBrokerAgain()
            // If the device has sent PUBREL already, the message may arrive before a client can subscribe to it.
            let observer = await scenario.client("observer")
            try await observer.connect(port: scenario.broker.port, ["client_id": "observer"])
            try await observer.subscribe("up")
            if isReleasedMeanwhile {
                let answer = try await device.packet()
                #expect(answer.first == 0x70 && answer.body.starts(with: [0, 5]))
            } else {
                try await scenario.reconnects()
                try await device.send([0x62, 2, 0, 5])
                let answer = try await device.packet()
                #expect(answer.first == 0x70 && answer.body.starts(with: [0, 5]))
                #expect(try await observer.message().text == "a")
            }
            try await device.send(RawMQTT.publish("up", [0x62], packetID: 6, qos: 1, properties: properties))
            let acknowledged = try await device.packet()
            #expect(acknowledged.first == 0x40 && acknowledged.body.starts(with: [0, 6]))
            await device.close()
        }
    }
}

import Foundation
import Testing

/// What others see of a device that is held: its will, what it says in the topic of its will, and its messages at QoS 2.
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

    /// A device whose retained will came while it was held says "Online" again, without knowing that it was away. Where the
    /// will can be delayed (5.0), nothing is published at all.
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
            let isOver = Carrier.current == .dataStream
            if version != "5.0", !isOver { #expect(try await observer.message().text == "Offline") }
            try await scenario.relay.blackOut(false)
            try await device.acknowledged([state])
            if !isOver { #expect(try await observer.message().text == "Online") }
            let late = await scenario.client("late")
            try await late.connect(port: scenario.broker.port, ["client_id": "late"])
            try await late.subscribe("lwt/#")
            let kept = try await late.message()
            #expect(kept.text == "Online" && kept.retain == true)
            // It has not lost its will.
            try await device.vanish()
            #expect(try await observer.message().text == "Offline")
            #expect(try await late.message().text == "Offline")
        }
    }

    /// The broker ends the session for what the device sent. Where the bridge had it keep the will back, the will comes all
    /// the same.
    @Test(.mapping(.connection, .mux), arguments: [UInt8(4), 5])
    func aMistakeOfTheDeviceDoesNotDelayItsWill(level: UInt8) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("lwt/#")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("device-1", level: level, will: ("lwt/device-1", "Offline")) == 0)
            // SUBSCRIBE without a filter.
            try await device.send(RawMQTT.packet(0x82, level == 5 ? [0, 1, 0] : [0, 1]))
            _ = try await device.closed()
            #expect(try await observer.message().text == "Offline")
            // Its client id is free, and nobody comes for it any more.
            let again = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await again.connect("device-1", level: level) == 0)
            try await again.send(RawMQTT.pingreq)
            #expect(try await again.packet().first == 0xD0)
        }
    }

    /// Mosquitto 2.0 closes the connection of a device that is taken over without a word: it may be no reason to come again
    /// in its name, which would end the one that has taken over.
    @Test(.mapping(.connection, .mux)) func nobodyComesBehindATakeover() async throws {
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

    /// The broker has said PUBREC, and forgets the session: Mosquitto passes a message on at PUBREL only. (Behind data streams
    /// there is EMQX, which does so at once.)
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
            // Where the device has sent PUBREL already, the message may be there before anybody can subscribe to it.
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

import Foundation
import Testing

/// The gateway has as many sessions as its devices need, each with as many streams as the broker allows.
@Suite(.mapping(.dataStream), .timeLimit(.minutes(20)))
struct DataStreamPoolTests {
    private static func options(streams: Int, uplink: [String] = [], threads: Int = 1) -> Scenario.Options {
        var options = Scenario.Options()
        options.front.streams = streams
        options.uplink = uplink
        options.configuration = "threads: \(threads)"
        return options
    }

    private func devices(_ count: Int, _ scenario: Scenario) async throws -> [PahoClient] {
        var devices: [PahoClient] = []
        for index in 1...count {
            let device = try await scenario.device(
                "device-\(index)", ["version": index.isMultiple(of: 2) ? "3.1" : "3.1.1"])
            devices.append(device)
        }
        return devices
    }

    @Test func twentyDevicesNeedThreeSessionsOfTenStreams() async throws {
        try await Scenario.run(Self.options(streams: 10)) { scenario in
            let observer = try await scenario.observer("up/#")
            let devices = try await devices(20, scenario)
            for device in devices {
                try await device.publish("up/\(device.name)", .text(device.name), qos: 1)
                #expect(try await observer.message().text == device.name)
            }
            #expect(try await scenario.gatewaySessions == ["gateway-1", "gateway-2", "gateway-3"])
            let opened = try await scenario.front.reported().filter { $0.event == "stream_opened" && $0.stream != 0 }
            #expect(Dictionary(grouping: opened, by: \.connection).values.map(\.count).sorted() == [2, 9, 9])
        }
    }

    /// Devices that come together need no more sessions than others, and all of them are served.
    @Test func devicesThatComeTogetherAreServedTogether() async throws {
        let number = 60
        try await Scenario.run(Self.options(streams: 10, threads: 2)) { scenario in
            let codes = try await withThrowingTaskGroup(of: UInt8.self) { group in
                for index in 0..<number {
                    group.addTask {
                        let device = try await RawDevice.connect(port: scenario.bridge.port)
                        let code = try await device.connect("d\(index)", level: index.isMultiple(of: 2) ? 4 : 5)
                        try await device.send(RawMQTT.pingreq)
                        #expect(try await device.receive(2) == [0xD0, 0])
                        return code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes == [UInt8](repeating: 0, count: number))
            let sessions = try await scenario.gatewaySessions
            #expect(Set(sessions).count == sessions.count)
        }
    }

    /// A session without devices ends with a DISCONNECT, unless the others would have no free streams in reserve
    /// without it.
    @Test func sessionsThatAreNotNeededEnd() async throws {
        let uplink = ["idle_timeout: 4s", "keep_alive: 1s"]
        try await Scenario.run(Self.options(streams: 4, uplink: uplink)) { scenario in
            let observer = try await scenario.observer("up")
            let devices = try await devices(4, scenario)
            #expect(try await scenario.gatewaySessions == ["gateway-1", "gateway-2"])
            try await devices[3].disconnect()
            try await devices[0].disconnect()
            let closed = try await scenario.front.closed("gateway-2")
            #expect(closed.code == 0)
            try await scenario.broker.logs("Received DISCONNECT from gateway-2")
            try await devices[1].publish("up", "still here", qos: 1)
            #expect(try await observer.message().text == "still here")
            // The session's number is free again.
            for name in ["new-1", "new-2"] { _ = try await scenario.device(name) }
            #expect(try await scenario.gatewaySessions == ["gateway-1", "gateway-2", "gateway-2"])
            // The last session ends too.
            scenario.driver.process.signal(SIGKILL)
            _ = try await scenario.front.closed("gateway-1")
            try await scenario.broker.logs("Received DISCONNECT from gateway-1")
        }
    }

    /// Each session has one device or none at all, because the broker allows so few streams.
    @Test func aBrokerMayAllowVeryFewStreams() async throws {
        try await Scenario.run(Self.options(streams: 2)) { scenario in
            let devices = try await devices(3, scenario)
            for device in devices { try await device.publish("up", "fine", qos: 1) }
            #expect(try await scenario.gatewaySessions == ["gateway-1", "gateway-2", "gateway-3"])
        }
        let uplink = ["connect_timeout: 8s"]
        try await Scenario.run(Self.options(streams: 1, uplink: uplink)) { scenario in
            let refused = try await scenario.client("d").tryConnect(port: scenario.bridge.port, ["version": "5.0"])
            #expect(refused.code == 0x88)
            guard case .string(let reason) = refused.properties?["ReasonString"] else {
                Issue.record("no Reason String: \(refused)")
                return
            }
            #expect(reason.contains("stream"))
            let again = try await scenario.client("again").tryConnect(port: scenario.bridge.port)
            #expect(again.code == 0x88)
            // That is no reason for more sessions.
            #expect(try await scenario.gatewaySessions.count <= 2)
        }
    }

    /// All streams are in use, and no more sessions are possible: a device waits until another one leaves, and takes
    /// its place.
    @Test func aDeviceThatWaitsGetsTheNextFreeStream() async throws {
        let uplink = ["backoff_minimum: 10s", "backoff_maximum: 60s", "connect_timeout: 10s"]
        try await Scenario.run(Self.options(streams: 3, uplink: uplink)) { scenario in
            let devices = try await devices(2, scenario)
            try await scenario.front.refuseConnects(with: 5)
            // No device leaves within connect_timeout.
            let refused = try await scenario.client("refused").tryConnect(port: scenario.bridge.port)
            #expect(refused.code == 0x88)

            let waiting = try await RawDevice.connect(port: scenario.bridge.port)
            try await waiting.send(RawMQTT.connect("waiting"))
            try await scenario.bridgeLogs("device identified", "client_id=waiting")
            try await devices[0].disconnect()
            #expect(try await waiting.packet().body == [0, 0])
            try await waiting.send(RawMQTT.publish("up", [1], packetID: 1))
            #expect(try await waiting.packet().first == 0x40)
            try await devices[1].publish("up", "fine", qos: 1)
        }
    }

    /// Sessions of one gateway never take each other over, even on different event loops.
    @Test func eventLoopsUseNumbersOfTheirOwn() async throws {
        try await Scenario.run(Self.options(streams: 10, threads: 2)) { scenario in
            // The listener gives connections to the event loops in turn.
            let devices = try await devices(4, scenario)
            for device in devices { try await device.publish("up", "fine", qos: 1) }
            let sessions = try await scenario.gatewaySessions
            #expect(sessions.sorted() == ["gateway-1", "gateway-2"])
        }
    }

    /// A fault on one stream affects only its device.
    @Test(arguments: ["3.1.1", "5.0"])
    func aStreamThatIsResetEndsItsDeviceAlone(version: String) async throws {
        try await Scenario.run(Self.options(streams: 10)) { scenario in
            let observer = try await scenario.observer("up", "will")
            let will: JSONValue = ["topic": "will", "payload": ["text": "gone"], "qos": 1]
            let device = try await scenario.device("device", ["version": .string(version), "will": will])
            try await device.subscribe("down")
            let stream = try await scenario.dataStream(of: "SUBSCRIBE")
            let neighbour = try await scenario.device("neighbour", ["version": .string(version)])
            try await neighbour.publish("up", "before", qos: 1)
            #expect(try await observer.message().text == "before")

            try await scenario.front.reset(stream: stream.stream, of: stream.connection)
            let end = try await device.disconnected()
            if version == "5.0" { #expect(end.fromServer == true && end.code == 0x8B) }
            // The broker knows only the gateway's session, so the bridge has to publish the device's will, on a new
            // stream.
            #expect(try await observer.message().text == "gone")
            try await neighbour.publish("up", "after", qos: 1)
            #expect(try await observer.message().text == "after")
            #expect(try await scenario.gatewaySessions == ["gateway-1"])
            _ = try await scenario.device("again", ["version": .string(version)])
        }
    }
}

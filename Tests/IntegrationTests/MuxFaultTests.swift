import Foundation
import Testing

/// What happens to one device does not affect the others on its connection.
@Suite(.mapping(.mux), .timeLimit(.minutes(20)))
struct MuxFaultTests {
    enum Fault: String, Sendable, CaseIterable {
        case garbage, secondConnect, forbiddenTopic, vanish, reset, takeover, halfAPacket, floodAndLeave
    }

    @Test(arguments: Fault.allCases) func aFaultOfOneDeviceAffectsNoOther(fault: Fault) async throws {
        try await Scenario.run(.onOneLoop()) { scenario in
            let neighbour = try await scenario.device("neighbour", ["keep_alive": 0])
            try await neighbour.subscribe("down", qos: 1)
            let observer = try await scenario.observer("will", "up")
            for round in 0..<5 { try await Self.perform(fault, scenario, round) }
            try await neighbour.publish("up", "fine", qos: 1)
            #expect(try await observer.message(on: "up").text == "fine")
            try await observer.publish("down", "heard", qos: 1)
            #expect(try await neighbour.message().text == "heard")
            #expect(try await scenario.serve.connections == 1)
            #expect(try await scenario.serve.endedConnections == 0)
            #expect(await !neighbour.log.all.contains { $0.event == "disconnected" })
        }
    }

    private static func perform(_ fault: Fault, _ scenario: Scenario, _ round: Int) async throws {
        let device = try await RawDevice.connect(port: scenario.bridge.port)
        #expect(try await device.connect("victim", will: ("will", "gone")) == 0)
        switch fault {
        case .garbage:
            try await device.send([0x00, 0xFF, 0xFF, 0xFF, 0xFF])
            _ = try await device.closed()
        case .secondConnect:
            try await device.send(RawMQTT.connect("victim"))
            _ = try await device.closed()
        case .forbiddenTopic:
            try await device.send(RawMQTT.publish("up/#", [1]))
            _ = try await device.closed()
        case .vanish:
            await device.close()
        case .reset:
            let paho = try await scenario.device("resetting-\(round)")
            try await paho.vanish(hard: true)
            try await scenario.gone("resetting-\(round)")
            await device.close()
        case .takeover:
            // The broker ends the stream of the first device.
            let second = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await second.connect("victim") == 0)
            _ = try await device.closed()
            await second.close()
        case .halfAPacket:
            try await device.send(
                Array(RawMQTT.publish("up/big", [UInt8](repeating: 1, count: 500_000)).prefix(300_000)))
            await device.close()
        case .floodAndLeave:
            try await device.send(RawMQTT.subscribe("flood"))
            #expect(try await device.packet().first == 0x90)
            try await device.read(false)
            try await device.send(RawMQTT.publish("flood", [UInt8](repeating: 1, count: 1_000_000)))
            await device.close()
        }
    }

    /// The flow control credit of a device that leaves in the middle of a message is not lost to the others, so windows
    /// for a few devices suffice for many such devices in turn.
    @Test func creditComesBackFromDevicesThatLeaveInTheMiddle() async throws {
        var options = Scenario.Options.onOneLoop(
            uplink: ["devices_per_connection: 4"], serve: ["streams_per_connection: 4", "stream_buffer: 64KiB"])
        options.configuration = "threads: 1\nlimits: {session_buffer: 65536}"
        try await Scenario.run(options) { scenario in
            let neighbour = try await scenario.device("neighbour", ["keep_alive": 0])
            try await neighbour.subscribe("down", qos: 1)
            let observer = try await scenario.observer()
            // This is more than the sockets on the way can take.
            let size = 10_000_000
            for index in 0..<10 {
                let device = try await RawDevice.connect(port: scenario.bridge.port, receiveBuffer: 4096)
                #expect(try await device.connect("leaver-\(index)") == 0)
                try await device.send(RawMQTT.subscribe("flood"))
                #expect(try await device.packet().first == 0x90)
                try await device.read(false)
                let half = RawMQTT.publish("up/big", [UInt8](repeating: 1, count: 400_000)).prefix(200_000)
                try await device.send(Array(half))
                try await observer.publish("flood", .size(size), qos: 1)
                // No event shows that the sockets are full. On a slow machine this test proves less, but it never fails
                // wrongly.
                try await Task.sleep(for: .milliseconds(500))
                await device.close()
            }
            try await neighbour.publish("down", .size(300_000), qos: 1)
            #expect(try await neighbour.message().size == 300_000)
            #expect(try await scenario.serve.endedConnections == 0)
            let connections = try await scenario.serve.connections
            #expect(connections <= 2, "\(connections) connections")
        }
    }
}

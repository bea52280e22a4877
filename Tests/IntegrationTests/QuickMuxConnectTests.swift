import Testing

/// How CONNECT can be answered quickly for devices that share connections.
@Suite(.mapping(.mux), .timeLimit(.minutes(20)))
struct QuickMuxConnectTests {
    @Test func oneConnectionIsReadyForTheFirstDevice() async throws {
        try await Scenario.run(.onOneLoop(uplink: ["warm: 1"])) { scenario in
            try await scenario.serve.hasConnections(1)
            try await scenario.bridgeSays("the broker can be reached")
            let device = try await scenario.device("device")
            try await device.publish("up", "hello", qos: 1)
            try await scenario.serve.expectConnections(1)
        }
    }

    @Test func theLastConnectionIsKept() async throws {
        let options = Scenario.Options.onOneLoop(uplink: ["warm: 1", "idle_timeout: 12s", "keep_alive: 3s"])
        try await Scenario.run(options) { scenario in
            try await scenario.device("first").disconnect()
            try await Task.sleep(for: .seconds(15))
            let device = try await scenario.device("second")
            try await device.publish("up", "hello", qos: 1)
            try await scenario.serve.expectConnections(1)
        }
    }

    /// Only the first device on a new connection may be early. The others come once it is established.
    @Test func theFirstDeviceOnAConnectionMayBeEarly() async throws {
        let options = Scenario.Options.onOneLoop(uplink: [
            "zero_rtt: connect", "idle_timeout: 8s", "keep_alive: 2s",
        ])
        try await Scenario.run(options) { scenario in
            try await scenario.device("first").disconnect()
            try await scenario.serve.hasEndedConnections(1)
            let load = try await scenario.load()
            try await load.connect(10, port: scenario.bridge.port, ["subscribe": true])
            #expect(try await load.perform("publish", answer: "published").count == 10)
            try await scenario.bridgeLogs("connected to the broker", "resumed=true", "early_data=true")
            try await scenario.serve.expectConnections(2)
        }
    }
}

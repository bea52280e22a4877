import BridgeCore
import Foundation
import Testing

/// SIGUSR1 to the bridge: it takes no new devices, and ends when the last has left.
@Suite(.timeLimit(.minutes(20)))
struct DrainTests {
    private func drain(_ scenario: Scenario) async throws {
        scenario.bridge.process.signal(SIGUSR1)
        try await scenario.bridgeSays("draining: nobody new is taken")
    }

    @Test func aBridgeWithoutDevicesEndsAtOnce() async throws {
        try await Scenario.run { scenario in
            scenario.bridge.process.signal(SIGUSR1)
            #expect(try await scenario.bridge.process.end() == .exit(0))
            try await scenario.bridgeSays("all have left")
        }
    }

    @Test func theBridgeEndsWhenTheLastDeviceHasLeft() async throws {
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("up/#")
            let device = try await scenario.device("stays", ["version": "5.0"])
            let other = try await scenario.device("leaves")
            try await device.subscribe("down/#")
            let silent = try await RawDevice.connect(port: scenario.bridge.port)
            try await drain(scenario)
            // A connection without CONNECT is no device yet, and nobody listens any more.
            #expect(try await silent.closed().isEmpty)
            #expect(try await scenario.client("late").tryConnect(port: scenario.bridge.port).event == "connect_failed")
            try await other.disconnect()
            try await device.publish("up/1", "still here", qos: 2)
            #expect(try await observer.message().text == "still here")
            try await observer.publish("down/1", "and there", qos: 1)
            #expect(try await device.message().text == "and there")
            try await device.disconnect()
            #expect(try await scenario.bridge.process.end() == .exit(0))
            try await scenario.bridgeSays("all have left")
        }
    }

    @Test func theTimeEndsADrain() async throws {
        var options = Scenario.Options()
        options.configuration = "limits: {drain_timeout: 500ms}"
        try await Scenario.run(options) { scenario in
            let device = try await scenario.device("stays", ["version": "5.0"])
            scenario.bridge.process.signal(SIGUSR1)
            #expect(try await device.disconnected().code == 0x8B)
            #expect(try await scenario.bridge.process.end() == .exit(0))
            try await scenario.bridgeSays("the time to drain is over")
        }
    }

    @Test func aSignalEndsADrain() async throws {
        try await Scenario.run { scenario in
            let device = try await scenario.device("stays", ["version": "5.0"])
            try await drain(scenario)
            scenario.bridge.process.signal(SIGTERM)
            #expect(try await device.disconnected().code == 0x8B)
            #expect(try await scenario.bridge.process.end() == .exit(0))
        }
    }

    /// What is kept for a held device would be lost otherwise.
    @Test func aHeldDeviceComesBackDuringADrain() async throws {
        var options = Scenario.Options()
        options.relayed = true
        options.uplink = ["keep_alive: 1s", "idle_timeout: 4s", "backoff_maximum: 1s"]
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up/#")
            let device = try await scenario.device("held", ["version": "5.0"])
            try await scenario.relay.blackOut(true)
            let sent = try await device.startPublishing("up/1", "kept", qos: 1)
            try await scenario.holds()
            try await drain(scenario)
            try await scenario.relay.blackOut(false)
            try await device.acknowledged(sent)
            #expect(try await observer.message().text == "kept")
            try await device.disconnect()
            #expect(try await scenario.bridge.process.end() == .exit(0))
        }
    }

    /// The admin endpoint drains by the same call, and it may change its mind about the time.
    @Test(.mapping(.connection, .mux)) func whoeverWatchesSeesTheDrain() async throws {
        try await Scenario.run { scenario in
            let uplink = UplinkConfiguration(
                host: "localhost", port: scenario.farEnd.port, caFile: try await Certificates.make().certificate("ca"),
                mapping: TestMapping.current == .mux ? .mux : .connection, connectTimeout: .seconds(20), warm: 0)
            let configuration = BridgeConfiguration(
                listen: [ListenAddress(host: "127.0.0.1", port: 0)], uplink: uplink, unrouted: .pass, threads: 2)
            try await InnerBridge.run(configuration) { bridge in
                let device = await scenario.client("stays")
                try await device.connect(port: bridge.port, ["version": "5.0"])
                #expect(await bridge.monitor.readiness().ok)
                #expect(await bridge.monitor.drain(within: .seconds(3_600)))
                #expect(await bridge.monitor.status().program.isDraining)
                let state = await bridge.monitor.readiness()
                #expect(!state.ok && state.detail.contains("draining"))
                #expect(await bridge.monitor.liveness().ok)
                let late = try await scenario.client("late").tryConnect(port: bridge.port)
                #expect(late.event == "connect_failed")
                await bridge.monitor.drain(within: .milliseconds(100))
                #expect(try await device.disconnected().code == 0x8B)
                try await bridge.says("stopped")
                #expect(await !bridge.monitor.readiness().ok)
                #expect(await !bridge.monitor.drain(within: nil))
            }
        }
    }
}

import BridgeCore
import Foundation
import Testing

/// Whether a device that came now would reach the broker: what the admin endpoint says about it has to be true.
@Suite(.timeLimit(.minutes(20)), .mapping(.connection, .mux))
struct MonitorTruthTests {
    private func configuration(_ port: Int, _ mapping: UplinkConfiguration.Mapping) async throws -> BridgeConfiguration
    {
        // Connections without traffic notice nothing by themselves for a long time.
        let uplink = UplinkConfiguration(
            host: "localhost", port: port, caFile: try await Certificates.make().certificate("ca"), mapping: mapping,
            connectTimeout: .seconds(10), keepAlive: .seconds(100), idleTimeout: .seconds(300),
            backoffMinimum: .milliseconds(50), backoffMaximum: .milliseconds(500), onLoss: .hold, warm: 0)
        return BridgeConfiguration(
            listen: [ListenAddress(host: "127.0.0.1", port: 0)], uplink: uplink, unrouted: .pass, threads: 2)
    }

    private func until(_ isSo: () async -> Bool) async throws {
        for _ in 0..<1_500 {
            if await isSo() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("it is not so after 30 s")
    }

    /// One device notices that nothing comes from the broker's address. The others are quiet, and their connections seem to
    /// stand.
    @Test func theSilenceOfOneConnectionIsThatOfItsAddress() async throws {
        var options = Scenario.Options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let mapping: UplinkConfiguration.Mapping = TestMapping.current == .mux ? .mux : .connection
            try await InnerBridge.run(try await configuration(scenario.relay.port, mapping)) { bridge in
                var devices: [PahoClient] = []
                for number in 0..<4 {
                    let device = await scenario.client("device-\(number)")
                    try await device.connect(port: bridge.port, ["version": "3.1.1", "keepalive": 600])
                    devices.append(device)
                }
                #expect(await bridge.monitor.readiness().detail == "a connection to the broker stands")
                try await scenario.relay.blackOut(true)
                try await devices[0].startPublishing("up", "in the dark", qos: 1)
                try await bridge.says("the broker has fallen silent")
                let (status, readiness) = (await bridge.monitor.status(), await bridge.monitor.readiness())
                #expect(status.uplink.state == .down && !readiness.ok, "\(readiness.detail)")
                try await scenario.relay.blackOut(false)
                try await until { await bridge.monitor.readiness().ok }
            }
        }
    }

    /// The connections to `serve` stand, but the broker behind it is down.
    @Test func aServerWithoutItsBrokerIsNotThereForTheNextDevice() async throws {
        try await ServeScenario.run { scenario in
            let mapping: UplinkConfiguration.Mapping = TestMapping.current == .mux ? .mux : .connection
            try await InnerBridge.run(try await configuration(scenario.serve.port, mapping)) { bridge in
                let monitor = bridge.monitor
                let device = await PahoClient("device", scenario.driver)
                try await device.connect(port: bridge.port)
                #expect(await monitor.readiness().ok)
                try await scenario.broker.kill()
                for number in 0..<20 where await monitor.readiness().ok {
                    let late = try await RawDevice.connect(port: bridge.port)
                    try await late.send(RawMQTT.connect("late-\(number)", level: 4, will: nil))
                    #expect(try await late.closed() == [0x20, 2, 0, 3])
                }
                #expect(await !monitor.readiness().ok)
                let status = await monitor.status()
                #expect(status.uplink.state == .down)
                #expect(status.uplink.problem?.contains("server unavailable") == true, "\(status.uplink)")
                await scenario.own(try await scenario.broker.startAgain(in: scenario.folder).process)
                // The held device tries the broker by itself.
                try await until { await monitor.readiness().ok }
                let next = await PahoClient("next", scenario.driver)
                try await next.connect(port: bridge.port)
            }
        }
    }

    /// The devices that are there keep their connections, but each further one needs one of its own.
    @Test func aServerThatTakesNobodyElseIsNotThereForTheNextDevice() async throws {
        guard TestMapping.current == .connection else { return }
        var options = ServeScenario.Options()
        options.serve = ["connections: 2"]
        try await ServeScenario.run(options) { scenario in
            try await InnerBridge.run(try await configuration(scenario.serve.port, .connection)) { bridge in
                let monitor = bridge.monitor
                var devices: [PahoClient] = []
                for number in 0..<2 {
                    let device = await PahoClient("device-\(number)", scenario.driver)
                    try await device.connect(port: bridge.port)
                    devices.append(device)
                }
                #expect(await monitor.readiness().ok)
                let late = try await RawDevice.connect(port: bridge.port)
                try await late.send(RawMQTT.connect("late", level: 4, will: nil))
                try await until { await monitor.status().uplink.state == .down }
                #expect(await monitor.status().uplink.problem?.contains("refuses") == true)
                #expect(await !monitor.readiness().ok)
                await late.close()
                try await devices[0].disconnect()
                let next = await PahoClient("next", scenario.driver)
                try await next.connect(port: bridge.port)
                #expect(await monitor.status().uplink.state == .up)
                #expect(await monitor.readiness().ok)
            }
        }
    }
}

import BridgeCore
import Foundation
import Testing

/// What the admin endpoint sees of a running bridge.
@Suite(.timeLimit(.minutes(20)), .mapping(.connection, .mux))
struct MonitorTests {
    private func configuration(
        _ port: Int, threads: Int = 2, idleTimeout: Duration = .seconds(10)
    ) async throws -> BridgeConfiguration {
        let uplink = UplinkConfiguration(
            host: "localhost", port: port, caFile: try await Certificates.make().certificate("ca"),
            mapping: TestMapping.current == .mux ? .mux : .connection, connectTimeout: .seconds(10),
            keepAlive: .seconds(1), idleTimeout: idleTimeout, backoffMinimum: .milliseconds(50),
            backoffMaximum: .milliseconds(500), onLoss: .hold, warm: 0)
        return BridgeConfiguration(
            listen: [ListenAddress(host: "127.0.0.1", port: 0)], uplink: uplink, unrouted: .pass, threads: threads)
    }

    /// Asks until the answer is as expected; how long that may take is the suite's time limit.
    private func until(_ isSo: () async -> Bool) async throws {
        while await !isSo() { try await Task.sleep(for: .milliseconds(20)) }
    }

    private func state(of clientID: String, _ monitor: any MonitoredService) async -> DeviceState? {
        await monitor.devices(DeviceQuery(clientID: clientID)).devices.first?.state
    }

    @Test func aDeviceIsSeenThroughAnOutageAndGoesWhenItIsDisconnected() async throws {
        var options = Scenario.Options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let inner = try await configuration(scenario.relay.port)
            try await InnerBridge.run(inner) { bridge in
                let monitor = bridge.monitor
                #expect(await monitor.status().devices == DeviceCounts())
                let wills = try await scenario.observer("will")
                let silent = try await RawDevice.connect(port: bridge.port)
                try await until { await monitor.status().devices.connecting == 1 }
                let device = await scenario.client("pump-1")
                try await device.connect(
                    port: bridge.port,
                    ["version": "5.0", "will": ["topic": "will", "payload": ["text": "gone"]]])
                try await device.subscribe("down/#")
                #expect(await state(of: "PUMP", monitor) == .live)
                let id = try #require(await monitor.devices(DeviceQuery(clientID: "pump-1")).devices.first?.id)
                var detail = try #require(await monitor.device(id))
                #expect(detail.session?.version == "5.0" && detail.session?.hasWill == true)
                #expect(detail.subscriptions == ["down/#"] && detail.uplink?.transport == "quic")
                #expect(detail.uplink?.roundTrip ?? 0 > 0 && detail.lastFromBroker != nil)
                try await scenario.relay.blackOut(true)
                try await device.startPublishing("up", "in the dark", qos: 1)
                try await until { await state(of: "pump-1", monitor) == .held }
                detail = try #require(await monitor.device(id))
                #expect(detail.inFlightUp == 1 && detail.bytesHeld > 0 && detail.lastProblem != nil)
                #expect(await monitor.devices(DeviceQuery(state: .held)).matching == 1)
                try await until { await monitor.status().uplink.state == .down }
                try await scenario.relay.blackOut(false)
                try await until { await state(of: "pump-1", monitor) == .live }
                #expect(await monitor.disconnect(id))
                #expect(try await device.disconnected().code == 0x98)
                #expect(try await wills.message().text == "gone")
                try await until { await monitor.device(id) == nil }
                #expect(await !monitor.disconnect(id))
                await silent.close()
                try await until { await monitor.status().devices == DeviceCounts() }
                let holds = await monitor.metrics().first { $0.name == "mqtt_quic_bridge_holds_total" }
                #expect(holds?.samples.first?.value == .number(1))
            }
        }
    }

    /// A device that waits for the broker, one that has said nothing yet, and one whose CONNECT the broker has not
    /// answered.
    @Test func devicesInEveryStateCanBeDisconnected() async throws {
        var options = Scenario.Options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let inner = try await configuration(scenario.relay.port)
            try await InnerBridge.run(inner) { bridge in
                let monitor = bridge.monitor
                let held = await scenario.client("held")
                try await held.connect(port: bridge.port, ["version": "5.0"])
                try await scenario.relay.blackOut(true)
                try await held.startPublishing("up", "in the dark", qos: 1)
                try await until { await state(of: "held", monitor) == .held }
                let silent = try await RawDevice.connect(port: bridge.port)
                let waiting = try await RawDevice.connect(port: bridge.port)
                try await waiting.send(
                    [0x10, 17] + [0, 4] + Array("MQTT".utf8) + [4, 2, 0, 60, 0, 5] + Array("waits".utf8))
                try await until { await state(of: "waits", monitor) == .connecting }
                let devices = await monitor.devices(DeviceQuery()).devices
                #expect(devices.count == 3)
                for device in devices { #expect(await monitor.disconnect(device.id)) }
                #expect(try await held.disconnected().code == 0x98)
                #expect(try await silent.closed().isEmpty)
                // "Server unavailable" of 3.1.1.
                #expect(try await waiting.closed() == [0x20, 2, 0, 3])
                try await scenario.relay.blackOut(false)
                try await until { await monitor.status().devices == DeviceCounts() }
                let ends = await monitor.metrics().first { $0.name == "mqtt_quic_bridge_hold_ends_total" }
                let ended = ends?.samples.first { $0.labels.first?.value == "ended" }
                #expect(ended?.value == .number(1))
            }
        }
    }

    @Test func aKnownExchangeIsCountedExactly() async throws {
        try await Scenario.run { scenario in
            // Packets that are sent again after a loss would be counted again.
            let inner = try await configuration(scenario.farEnd.port, idleTimeout: .seconds(300))
            try await InnerBridge.run(inner) { bridge in
                let observer = try await scenario.observer("up/#")
                let device = await scenario.client("counted")
                try await device.connect(port: bridge.port)
                try await device.subscribe("down/#", qos: 2)
                for (qos, count) in [(0, 3), (1, 5), (2, 7)] {
                    for _ in 0..<count {
                        try await device.publish("up/x", "12345678", qos: qos)
                        try await observer.publish("down/x", "12345678", qos: qos)
                    }
                }
                for _ in 0..<15 {
                    _ = try await observer.message()
                    _ = try await device.message()
                }
                // The last handshake of the broker's QoS 2 ends with PUBCOMP, which nobody announces.
                try await until { await packets(bridge.monitor, "up", "PUBCOMP") == 7 }
                for direction in ["up", "down"] {
                    for (qos, count) in [("0", 3.0), ("1", 5), ("2", 7)] {
                        #expect(await packets(bridge.monitor, direction, "PUBLISH", qos) == count)
                    }
                    // A fixed header of 2, a topic of 2 + 4 or 6, an identifier of 2 and 8 bytes of payload.
                    let topic = direction == "up" ? 6.0 : 8
                    #expect(await bytes(bridge.monitor, direction, "1") == 5 * (2 + topic + 2 + 8))
                    #expect(await packets(bridge.monitor, direction, "PUBACK") == 5)
                    #expect(await packets(bridge.monitor, direction, "PUBREC") == 7)
                    #expect(await packets(bridge.monitor, direction, "PUBREL") == 7)
                    #expect(await packets(bridge.monitor, direction, "PUBCOMP") == 7)
                }
                let sample = await bridge.monitor.sample()
                #expect(sample.messagesUp == 15 && sample.messagesDown == 15)
                // Each publish waits for its acknowledgement, so every message is measured.
                #expect(sample.acknowledgement.count == 12 && sample.acknowledgement.sum > 0)
                #expect(sample.devices.live == 1)
                let connects = await bridge.monitor.metrics().first { $0.name.hasSuffix("_connects_total") }
                let accepted = connects?.samples.first { $0.labels.first?.value == "accepted" }
                #expect(accepted?.value == .number(1))
            }
        }
    }

    private func value(
        _ monitor: any MonitoredService, _ name: String, _ direction: String, _ type: String, _ qos: String
    ) async -> Double {
        let family = await monitor.metrics().first { $0.name == "mqtt_quic_bridge_" + name }
        let sample = family?.samples.first { $0.labels.map(\.value) == [direction, type, qos] }
        if case .number(let value)? = sample?.value { return value }
        return 0
    }

    private func packets(
        _ monitor: any MonitoredService, _ direction: String, _ type: String, _ qos: String = ""
    ) async -> Double {
        await value(monitor, "mqtt_packets_total", direction, type, qos)
    }

    private func bytes(_ monitor: any MonitoredService, _ direction: String, _ qos: String) async -> Double {
        await value(monitor, "mqtt_packet_bytes_total", direction, "PUBLISH", qos)
    }

    @Test func readinessFollowsTheBroker() async throws {
        try await Scenario.run { scenario in
            let inner = try await configuration(scenario.farEnd.port)
            try await InnerBridge.run(inner) { bridge in
                let monitor = bridge.monitor
                #expect(await monitor.liveness().ok)
                // Nothing has been tried yet, so it is tried now.
                try await until { await monitor.readiness().ok }
                let device = await scenario.client("device-1")
                try await device.connect(port: bridge.port)
                #expect(await monitor.readiness().detail == "a connection to the broker stands")
                try await scenario.killBroker()
                try await device.startPublishing("up", "lost", qos: 1)
                try await until { await !monitor.readiness().ok }
                #expect(await monitor.readiness().detail.hasPrefix("the broker cannot be reached: "))
                #expect(await monitor.liveness().ok)
                try await scenario.startBrokerAgain()
                try await until { await monitor.readiness().ok }
                // Readiness may know it from a handshake of its own; the state shows it when the device has come back.
                try await until { await monitor.status().uplink.state == .up }
            }
        }
    }

    /// A device that came now would get through at the second endpoint.
    @Test func readinessTriesEachEndpoint() async throws {
        try await Scenario.run { scenario in
            var inner = try await configuration(scenario.farEnd.port)
            inner.uplink.warm = 0
            inner.uplink.endpoints.insert(UplinkEndpoint(host: "localhost", port: try Toolbox.freePort()), at: 0)
            try await InnerBridge.run(inner) { bridge in
                try await until { await bridge.monitor.readiness().ok }
            }
        }
    }

    @Test func pagesGoAcrossEventLoops() async throws {
        try await Scenario.run { scenario in
            let inner = try await configuration(scenario.farEnd.port, threads: 3)
            try await InnerBridge.run(inner) { bridge in
                var devices: [RawDevice] = []
                for _ in 0..<500 { devices.append(try await RawDevice.connect(port: bridge.port)) }
                try await until { await bridge.monitor.status().devices.all == 500 }
                for query in [DeviceQuery(limit: 70), DeviceQuery(state: .connecting, limit: 70)] {
                    var (query, ids) = (query, [DeviceID]())
                    while true {
                        let page = await bridge.monitor.devices(query)
                        #expect(page.matching == 500 && page.devices.count <= 70)
                        ids += page.devices.map(\.id)
                        guard let next = page.next else { break }
                        query.after = next
                    }
                    #expect(ids.count == 500 && ids == Set(ids).sorted())
                }
                for device in devices { await device.close() }
            }
        }
    }

    /// Before the bridge runs its answers are honest, and the names of the metrics are those of the documentation.
    @Test func theDocumentationNamesEveryMetric() async throws {
        let service = try BridgeServiceBeforeRun.make(try await configuration(1))
        #expect(await service.liveness().ok)
        #expect(await !service.readiness().ok)
        #expect(await service.status().uplink.state == .unknown)
        let text = try String(contentsOf: Toolbox.root.appending(path: "docs/metrics.md"), encoding: .utf8)
        let serve = try await ServeBeforeRun.metrics()
        for family in await service.metrics() + serve {
            let line = text.split(separator: "\n").first { $0.contains("`\(family.name)`") }
            #expect(line?.contains("| \(family.kind.rawValue) |") == true, "\(family.name)")
            for label in Set(family.samples.flatMap { $0.labels.map(\.name) }) {
                #expect(line?.contains("`\(label)`") == true, "\(family.name): \(label)")
            }
        }
        let known = Set(await (service.metrics() + serve).map(\.name))
        // What follows is counted elsewhere.
        let own = text.split(separator: "## The process").first ?? ""
        for name in own.matches(of: /\| `(mqtt_quic_bridge_\w+)`/).map({ String($0.output.1) }) {
            #expect(known.contains(name), "\(name)")
        }
    }
}

import BridgeCore
import Foundation
import Testing

/// What is counted of QUIC, of routes and of clients.
@Suite(.timeLimit(.minutes(20)), .mapping(.connection, .mux))
struct MonitorMetricsTests {
    private func value(_ families: [MetricFamily], _ name: String, _ labels: String...) -> Double? {
        let family = families.first { $0.name == "mqtt_quic_bridge_" + name }
        let sample = family?.samples.first { $0.labels.map(\.value).starts(with: labels) }
        if case .number(let value)? = sample?.value { return value }
        return nil
    }

    private func until(_ isSo: () async -> Bool) async throws {
        while await !isSo() { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// The documentation names every label that occurs.
    private func checkLabels(_ families: [MetricFamily]) throws {
        let text = try String(contentsOf: Toolbox.root.appending(path: "docs/metrics.md"), encoding: .utf8)
        for family in families {
            let line = text.split(separator: "\n").first { $0.contains("`\(family.name)`") }
            for label in Set(family.samples.flatMap { $0.labels.map(\.name) }) {
                #expect(line?.contains("`\(label)`") == true, "\(family.name): \(label)")
            }
            // Two series with the same labels would make the whole answer unreadable for Prometheus.
            #expect(Set(family.samples.map(\.labels)).count == family.samples.count, "\(family.name)")
        }
    }

    @Test func theBridgeCountsWhatItsRoutesAndConnectionsDo() async throws {
        var options = Scenario.Options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let mapping: UplinkConfiguration.Mapping = TestMapping.current == .mux ? .mux : .connection
            let uplink = try await UplinkConfiguration(
                host: "localhost", port: scenario.relay.port, caFile: Certificates.make().certificate("ca"),
                mapping: mapping, connectTimeout: .seconds(20), warm: 2)
            let configuration = BridgeConfiguration(
                listen: [ListenAddress(host: "127.0.0.1", port: 0)], uplink: uplink,
                routes: [
                    Route(local: "up/#", remote: "site/up/#", direction: .up),
                    Route(local: "down/#", remote: "orders/#"),
                ],
                unrouted: .drop, threads: 2)
            try await InnerBridge.run(configuration) { bridge in
                let device = await scenario.client("device-1")
                let observer = try await scenario.observer("site/up/#")
                try await device.connect(port: bridge.port, ["version": "5.0"])
                try await device.subscribe("down/#", qos: 1)
                for _ in 0..<3 { try await device.publish("up/x", "text", qos: 1) }
                for _ in 0..<3 { _ = try await observer.message() }
                try await device.publish("elsewhere", "text", qos: 1)
                try await observer.publish("orders/1", "text", qos: 1)
                _ = try await device.message()
                try await scenario.relay.rebind()
                try await device.publish("up/x", "text", qos: 1)
                let metrics = await bridge.monitor.metrics()
                try checkLabels(metrics)
                #expect(value(metrics, "route_uses_total", "1", "up/#", "up") == 4)
                #expect(value(metrics, "route_uses_total", "2", "down/#", "down") == 1)
                #expect(value(metrics, "route_uses_total", "2", "down/#", "filter") == 1)
                #expect(value(metrics, "unrouted_total", "up", "dropped") == 1)
                #expect(value(metrics, "devices", "live", mapping.rawValue) == 1)
                let roundTrip = try #require(value(metrics, "quic_round_trip_seconds", "mean"))
                #expect(roundTrip > 0 && roundTrip < 10)
                #expect(try #require(value(metrics, "quic_congestion_window_bytes", "min")) > 1_200)
                let size = try #require(value(metrics, "quic_datagram_size_bytes", "max"))
                #expect((1_200...1_500).contains(size))
                for direction in ["sent", "received"] {
                    let datagrams = try #require(value(metrics, "quic_datagrams_total", direction))
                    let calls = try #require(value(metrics, "quic_system_calls_total", direction))
                    #expect(calls > 0 && calls <= datagrams, "\(direction)")
                }
                #expect(try #require(value(metrics, "certificate_expiry_seconds", "broker")) > 3_600)
                #expect(await bridge.monitor.status().certificates.contains { $0.role == "broker" })
                if mapping == .connection {
                    try await until { await value(bridge.monitor.metrics(), "uplink_warm_connections") == 2 }
                }
            }
        }
    }

    /// Counters never go back, even if a connection ends between two looks, and a silent path shows.
    @Test func anOutageShowsInTheCounters() async throws {
        var options = Scenario.Options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let uplink = try await UplinkConfiguration(
                host: "localhost", port: scenario.relay.port, caFile: Certificates.make().certificate("ca"),
                mapping: TestMapping.current == .mux ? .mux : .connection, connectTimeout: .seconds(20),
                idleTimeout: .seconds(4), onLoss: .hold, warm: 0)
            let configuration = BridgeConfiguration(
                listen: [ListenAddress(host: "127.0.0.1", port: 0)], uplink: uplink, unrouted: .pass, threads: 1)
            try await InnerBridge.run(configuration) { bridge in
                let device = await scenario.client("device-1")
                try await device.connect(port: bridge.port, ["version": "5.0"])
                try await scenario.relay.blackOut(true)
                let sent = try await device.startPublishing("up", "lost at first", qos: 1)
                try await until { await value(bridge.monitor.metrics(), "quic_probe_timeouts_total") ?? 0 >= 2 }
                let during = await bridge.monitor.metrics()
                try await bridge.says("session held")
                try await scenario.relay.blackOut(false)
                try await device.acknowledged(sent)
                try await device.disconnect()
                try await until { await bridge.monitor.status().devices == DeviceCounts() }
                let after = await bridge.monitor.metrics()
                // Packets are lost here only if the connection lives on to declare them so.
                for name in ["quic_probe_timeouts_total", "quic_packets_lost_total", "quic_datagrams_total"] {
                    let before = try #require(value(during, name))
                    #expect(try #require(value(after, name)) >= before, "\(name)")
                }
            }
        }
    }

    @Test(.mapping(.connection)) func serveCountsMessagesAndFailures() async throws {
        try await ServeScenario.run { scenario in
            try await InnerServe.run(broker: scenario.broker.port) { serve in
                var options = QUICClient.Options()
                options.alpn = ["mqtt-mux"]
                let client = try await QUICClient.connect(port: serve.port, options)
                let (stream, connack) = try await client.session("client-1")
                try await client.send(RawMQTT.subscribe("echo"), on: stream)
                _ = try await client.received(connack.count + 5, on: stream)
                for _ in 0..<3 { try await client.send(RawMQTT.publish("echo", [1, 2, 3]), on: stream) }
                try await until {
                    let metrics = await serve.monitor.metrics()
                    return value(metrics, "mqtt_messages_total", "up") == 3
                        && value(metrics, "mqtt_messages_total", "down") == 3
                }
                options.alpn = ["h3"]
                let stranger = try await QUICClient.start(port: serve.port, options)
                _ = try await stranger.closed()
                try await until {
                    await value(serve.monitor.metrics(), "client_handshakes_failed_total", "alpn") == 1
                }
                let metrics = await serve.monitor.metrics()
                try checkLabels(metrics)
                #expect(try #require(value(metrics, "quic_round_trip_seconds", "min")) > 0)
                #expect(await serve.monitor.sample().messagesUp == 3)
                #expect(value(metrics, "devices", "live") == 1)
                await client.stop()
                await stranger.stop()
            }
        }
    }
}

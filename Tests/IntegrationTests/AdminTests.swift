import BridgeAdmin
import BridgeCore
import Foundation
import TestSupport
import Testing

/// The admin endpoint of the real program.
@Suite(.timeLimit(.minutes(20)))
struct AdminTests {
    private static var options: Scenario.Options {
        var options = Scenario.Options()
        options.admin = true
        return options
    }

    /// What only `serve` counts, or a bridge with routes.
    private static var ofOthers: Regex<Substring> {
        /mqtt_quic_bridge_(?:clients?|streams|sessions|mqtt_messages|route_uses)[_{]/
    }

    private static func client(_ scenario: Scenario) throws -> AdminClient {
        guard let port = scenario.bridge.adminPort else { throw HarnessError("no admin endpoint") }
        return AdminClient(AdminURL(host: "127.0.0.1", port: port), timeout: .seconds(30))
    }

    private static func object(_ answer: AdminClient.Answer) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any] ?? [:]
    }

    /// Asks until the answer is as expected; how long that may take is the suite's time limit.
    private static func until(_ isSo: () async throws -> Bool) async throws {
        while try await !isSo() { try await Task.sleep(for: .milliseconds(20)) }
    }

    @Test func aDeviceIsFoundAndDisconnected() async throws {
        try await Scenario.run(Self.options) { scenario in
            let admin = try Self.client(scenario)
            #expect(try await admin.send("GET", "/healthz").status == 200)
            let device = try await scenario.device("pump-1", ["version": "5.0"])
            let ready = try await admin.send("GET", "/readyz")
            #expect(ready.status == 200, "\(ready.body)")
            let page = try Self.object(try await admin.send("GET", "/api/devices?client_id=PUMP&state=live"))
            let devices = try #require(page["devices"] as? [[String: Any]])
            #expect(devices.count == 1 && devices[0]["client_id"] as? String == "pump-1")
            let id = try #require(devices[0]["id"] as? Int)
            let detail = try Self.object(try await admin.send("GET", "/api/devices/\(id)"))
            #expect((detail["session"] as? [String: Any])?["version"] as? String == "5.0")
            #expect(try await admin.send("POST", "/api/devices/\(id)/disconnect").status == 204)
            #expect(try await device.disconnected().code == 0x98)
            try await Self.until { try await admin.send("GET", "/api/devices/\(id)").status == 404 }
        }
    }

    @Test func theLogLevelChangesWhileItRuns() async throws {
        try await Scenario.run(Self.options) { scenario in
            let admin = try Self.client(scenario)
            #expect(try await admin.send("GET", "/api/log").body == #"{"level":"debug"}"#)
            #expect(try await admin.send("PUT", "/api/log", body: #"{"level":"critical"}"#).status == 200)
            #expect(try await admin.send("GET", "/api/log").body == #"{"level":"critical"}"#)
        }
    }

    /// The answer to a drain is true when it comes; and a program that is ending takes no more orders.
    @Test func aDrainHasBegunWhenItIsAnswered() async throws {
        try await Scenario.run(Self.options) { scenario in
            let admin = try Self.client(scenario)
            let device = try await scenario.device("pump-1")
            #expect(try await admin.send("POST", "/api/drain?within=600").status == 202)
            #expect(try await admin.send("GET", "/api/status").body.contains(#""is_draining":true"#))
            try await device.disconnect()
            #expect(try await scenario.bridge.process.end() == .exit(0))
        }
    }

    /// Whoever has no token learns from a health check nothing about where the broker is.
    @Test func aHealthCheckKeepsAddressesToItself() async throws {
        let token = "0123456789abcdef0123456789abcdef"
        var options = Self.options
        options.adminToken = token
        options.relayed = true
        options.uplink = [
            "keep_alive: 1s", "idle_timeout: 4s", "connect_timeout: 2s", "backoff_minimum: 50ms",
            "backoff_maximum: 500ms", "on_loss: hold",
        ]
        try await Scenario.run(options) { scenario in
            let admin = try Self.client(scenario)
            let known = AdminClient(admin.url, token: token, timeout: .seconds(30))
            _ = try await scenario.device("pump-1")
            try await scenario.duringBlackout {
                let unreachable = "the broker cannot be reached"
                try await Self.until { try await known.send("GET", "/readyz").body.contains("\(unreachable): ") }
                let answer = try await admin.send("GET", "/readyz")
                #expect(answer.status == 503 && answer.body == #"{"detail":"\#(unreachable)","ok":false}"#)
            }
        }
    }

    /// Pages that are open, whether they read or not, do not keep the program from ending.
    @Test func theProgramEndsWithPagesOpen() async throws {
        try await Scenario.run(Self.options) { scenario in
            let port = try #require(scenario.bridge.adminPort)
            var pages: [RawDevice] = []
            for _ in 0..<3 {
                let page = try await RawDevice.connect(port: port)
                try await page.send(Array("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                pages.append(page)
            }
            scenario.bridge.process.signal(SIGTERM)
            #expect(try await scenario.bridge.process.end() == .exit(0))
            for page in pages { _ = try await page.closed() }
        }
    }

    @Test(.enabled(if: Prometheus.isInstalled, "no Prometheus is installed here: scripts/bootstrap says why"))
    func aRealPrometheusScrapes() async throws {
        let token = "0123456789abcdef0123456789abcdef"
        var options = Self.options
        options.adminToken = token
        try await Scenario.run(options) { scenario in
            let port = try #require(scenario.bridge.adminPort)
            let device = try await scenario.device("pump-1")
            try await device.publish("up", "text", qos: 1)
            let prometheus = try await Prometheus.start(in: scenario.folder, scraping: port, token: token)
            await scenario.own(prometheus.process)
            try await prometheus.wait(for: "up", 1)
            try await prometheus.wait(for: #"mqtt_quic_bridge_devices{state="live"}"#, 1)
            try await prometheus.wait(for: "mqtt_quic_bridge_uplink_up", 1)
            try await prometheus.wait(
                for: #"mqtt_quic_bridge_mqtt_packets_total{direction="up",type="PUBLISH",qos="1"}"#, 1)
            try await prometheus.wait(for: "mqtt_quic_bridge_acknowledgement_seconds_count", 1)
            try await prometheus.wait(for: "count_over_time(up[1m]) > bool 2", 1)
            for query in try Dashboard().queries() where !query.contains(Self.ofOthers) {
                let values = try await prometheus.values(query)
                #expect(values?.isEmpty == false, "nothing for \(query)")
            }
            #expect(try await prometheus.value("process_open_fds") ?? 0 > 5)
            let admin = AdminClient(AdminURL(host: "127.0.0.1", port: port), token: token, timeout: .seconds(30))
            #expect(try await AdminClient(admin.url, timeout: .seconds(30)).send("GET", "/metrics").status == 401)
            let text = try await admin.send("GET", "/metrics").body
            let described = try String(contentsOf: Toolbox.root.appending(path: "docs/metrics.md"), encoding: .utf8)
            for (name, type) in try StrictMetrics(text).types {
                #expect(
                    described.split(separator: "\n").contains {
                        $0.contains("`\(name)`") && $0.contains("| \(type) |")
                    },
                    "\(name) in docs/metrics.md")
            }
            let labels = ["mapping": TestMapping.current.rawValue, "state": "live"]
            #expect(try StrictMetrics(text).value("mqtt_quic_bridge_devices", labels) == 1)
            #expect(try Promtool.objections(to: text) == "")
            try await device.disconnect()
            try await prometheus.wait(for: #"mqtt_quic_bridge_devices{state="live"}"#, 0)
        }
    }
}

import BridgeCore
import CoreMetrics
import Foundation
import TestSupport
import Testing

@testable import BridgeAdmin

struct MetricsTests {
    private static func family(
        _ name: String, _ kind: MetricFamily.Kind = .gauge, _ value: MetricFamily.Value = .number(1),
        _ labels: [MetricFamily.Label] = []
    ) -> MetricFamily {
        MetricFamily(name, kind, "Help.", [.init(value, labels)])
    }

    private static var histogram: DurationHistogram {
        var histogram = DurationHistogram()
        for seconds in [0.0001, 0.0005, 0.3, 0.3, 120] { histogram.add(seconds: seconds) }
        return histogram
    }

    @Test func theTextIsThatOfTheFormat() {
        var families = [
            MetricFamily(
                "b_total", .counter, "A \\ and\na line.",
                [
                    .init(.number(1_000_000), [.init("z", "\"\\\n"), .init("a", "x")]),
                    .init(.number(2), [.init("a", "b")]),
                ]),
            Self.family("a", .gauge, .number(-0.25)),
        ]
        let text = """
            # HELP a Help.
            # TYPE a gauge
            a -0.25
            # HELP b_total A \\\\ and\\na line.
            # TYPE b_total counter
            b_total{a="b"} 2
            b_total{a="x",z="\\"\\\\\\n"} 1000000

            """
        #expect(MetricsText.render(families) == text)
        families.reverse()
        #expect(MetricsText.render(families) == text)
    }

    @Test func bucketsAreCumulative() throws {
        let text = MetricsText.render([
            Self.family("t_seconds", .histogram, .histogram(Self.histogram), [.init("q", "1")])
        ])
        let metrics = try StrictMetrics(text)
        #expect(metrics.value("t_seconds_bucket", ["q": "1", "le": "0.0005"]) == 2)
        #expect(metrics.value("t_seconds_bucket", ["q": "1", "le": "0.25"]) == 2)
        #expect(metrics.value("t_seconds_bucket", ["q": "1", "le": "60"]) == 4)
        #expect(metrics.value("t_seconds_bucket", ["q": "1", "le": "+Inf"]) == 5)
        #expect(metrics.value("t_seconds_count", ["q": "1"]) == 5)
        #expect(metrics.value("t_seconds_sum", ["q": "1"]).map { abs($0 - 120.6006) < 1e-9 } == true)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (1.5, "1.5"), (1e15, "1000000000000000"), (1e300, "1e+300"), (1e-7, "1e-07"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)])
    func numbersAreReadable(value: Double, text: String) {
        #expect(MetricsText.number(value) == text)
    }

    /// Whatever a library reports, the text stays one that Prometheus takes.
    @Test func namesAndSeriesAreMadeToFit() throws {
        let metrics = try StrictMetrics(
            MetricsText.render([
                Self.family(
                    "1.dots-and spaces", .gauge, .number(7), [.init("__name", "a"), .init("1.x", "b"), .init("é", "c")]),
                Self.family("twice", .gauge, .number(1)), Self.family("twice", .counter, .number(2)),
                Self.family("h", .histogram, .histogram(Self.histogram), [.init("le", "7")]),
                Self.family("h_count", .gauge),
                MetricFamily(
                    "same", .gauge, "Help.", [.init(.number(1)), .init(.number(2)), .init(.histogram(Self.histogram))]),
            ]))
        #expect(metrics.value("_1_dots_and_spaces", ["label__name": "a", "_1_x": "b", "_": "c"]) == 7)
        #expect(metrics.types.keys.sorted() == ["_1_dots_and_spaces", "h", "same", "twice"])
    }

    @Test(arguments: [
        "a 1", "# TYPE a gauge\na 1\n", "# HELP a b\n# TYPE a gauge\na 1\na 1\n",
        "# HELP a b\n# TYPE a gauge\na{b=\"c\",} 1\n",
        "# HELP a b\n# TYPE a gauge\na{b=\"c\"d} 1\n", "# HELP a b\n# TYPE a gauge\na one\n",
        "# HELP a b\n# TYPE a counter\na 1\n", "# HELP a b\n# TYPE a gauge\n# HELP a b\n# TYPE a gauge\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
    ])
    func theReaderOfTheTestsIsStrict(text: String) {
        #expect(throws: StrictMetrics.Fault.self) { try StrictMetrics(text) }
    }

    @Test func librariesAreHeard() throws {
        let registry = MetricsRegistry(limit: 5)
        for _ in 0..<2 { Counter(label: "hb.requests", dimensions: [("a.b", "c")], factory: registry).increment(by: 3) }
        Timer(label: "wait", dimensions: [], factory: registry).recordNanoseconds(2_000_000)
        let gauge = Gauge(label: "level", dimensions: [], factory: registry)
        gauge.record(4)
        let meter = Meter(label: "depth", dimensions: [], factory: registry)
        meter.set(5)
        meter.decrement()
        Recorder(label: "sizes", dimensions: [], aggregate: true, factory: registry).record(3)
        for number in 0..<3 { Counter(label: "more", dimensions: [("n", "\(number)")], factory: registry).increment() }
        let metrics = try StrictMetrics(MetricsText.render(registry.families()))
        #expect(metrics.value("hb_requests_total", ["a_b": "c"]) == 6)
        #expect(metrics.value("wait_seconds_bucket", ["le": "0.0025"]) == 1)
        #expect(metrics.value("level") == 4)
        #expect(metrics.value("depth") == 4)
        #expect(metrics.value("sizes_count") == 1)
        #expect(metrics.types["more_total"] == nil)
        #expect(metrics.value("mqtt_quic_bridge_admin_series_dropped_total") == 3)
    }

    @Test func theProcessIsThere() throws {
        let metrics = try StrictMetrics(MetricsText.render(ProcessMetrics.families()))
        #expect(metrics.value("process_cpu_seconds_total").map { $0 >= 0 } == true)
        #expect(metrics.value("process_resident_memory_bytes").map { $0 > 1_000_000 } == true)
        #expect(metrics.value("process_open_fds").map { $0 >= 3 } == true)
        #expect(metrics.value("process_max_fds").map { $0 >= 64 } == true)
        let start = metrics.value("process_start_time_seconds") ?? 0
        #expect(abs(start - Date().timeIntervalSince1970) < 86_400)
        // With systemd's ProcSubset=pid there is no /proc/stat to ask. Another answer would look like a restart.
        let again = try StrictMetrics(MetricsText.render(ProcessMetrics.families()))
        #expect(again.value("process_start_time_seconds") == start)
    }

    @Test func aNameCannotDeceiveTheReaderOfProc() {
        let rest = (3...52).map { "\($0)" }.joined(separator: " ")
        let figures = ProcessMetrics.Figures("7 (a) b) 1 2 (c) \(rest.replacing("3 ", with: "S ", maxReplacements: 1))")
        #expect(figures?.cpu == 29)
        #expect(figures?.start == 22)
        #expect(figures?.pages == 24)
        #expect(ProcessMetrics.Figures("7 (a) S 1") == nil)
        #expect(ProcessMetrics.Figures("") == nil)
    }

    @Test func scrapesAtTheSameTimeShareOneText() async throws {
        let service = FakeService()
        service.families.withLock {
            $0 = [Self.family("mqtt_quic_bridge_connect_seconds", .histogram, .histogram(Self.histogram))]
        }
        try await AdminEndpoint.run(service) { endpoint in
            let texts = try await withThrowingTaskGroup(of: AdminClient.Answer.self) { group in
                for _ in 0..<20 { group.addTask { try await endpoint.get("/metrics") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for answer in texts {
                #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
                #expect(answer.body.contains("mqtt_quic_bridge_connect_seconds_count 5\n"))
            }
            for answer in texts.prefix(2) {
                let metrics = try StrictMetrics(answer.body)
                #expect(metrics.value("mqtt_quic_bridge_connect_seconds_count") == 5)
            }
            // The server's own requests are in it, by swift-metrics.
            let metrics = try StrictMetrics(try await endpoint.get("/metrics").body)
            let labels = ["http_route": "/metrics", "http_request_method": "GET", "http_response_status_code": "200"]
            #expect(metrics.value("hb_requests_total", labels).map { $0 >= 20 } == true)
        }
    }

    /// Prometheus's own check of a text, which also knows its conventions of names.
    @Test(.enabled(if: Promtool.isInstalled, "no promtool is installed here: scripts/bootstrap says why"))
    func promtoolHasNoObjection() async throws {
        let service = FakeService()
        service.families.withLock {
            $0 = [
                Self.family("mqtt_quic_bridge_connect_seconds", .histogram, .histogram(Self.histogram)),
                Self.family("mqtt_quic_bridge_devices", .gauge, .number(3), [.init("state", "live \"\\\n")]),
            ]
        }
        try await AdminEndpoint.run(service) { endpoint in
            _ = try await endpoint.get("/api/status")
            let text = try await endpoint.get("/metrics").body
            #expect(try Promtool.objections(to: text) == "")
            #expect(try Promtool.objections(to: text + "a 1\na 1\n") != "")
        }
    }
}

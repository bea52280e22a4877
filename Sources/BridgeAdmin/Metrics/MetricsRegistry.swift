import BridgeCore
import CoreMetrics
import Synchronization

/// Keeps what libraries in this program report through swift-metrics, for `/metrics`: the HTTP server's requests and
/// whatever else reports. There is a bounded number of series; those beyond it are only counted.
final class MetricsRegistry: MetricsFactory {
    /// Series of a name and the values of its labels.
    static let limit = 1_000

    /// The one that swift-metrics uses in this process.
    static let shared: MetricsRegistry = {
        let registry = MetricsRegistry()
        MetricsSystem.bootstrap(registry)
        return registry
    }()

    private struct Key: Hashable {
        let name: String
        let kind: MetricFamily.Kind
        let labels: [MetricFamily.Label]
    }

    private struct State {
        var series: [Key: ReportedSeries] = [:]
        var dropped: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = MetricsRegistry.limit) {
        self.limit = limit
    }

    /// From this call on, what is reported is kept.
    static func install() {
        _ = shared
    }

    func families() -> [MetricFamily] {
        let (series, dropped) = state.withLock { ($0.series, $0.dropped) }
        var families: [String: MetricFamily] = [:]
        for (key, value) in series.sorted(by: { $0.key.kind.rawValue < $1.key.kind.rawValue }) {
            families[
                key.name,
                default: MetricFamily(key.name, key.kind, "Reported by a library in the program.", [])
            ].samples.append(.init(value.value, key.labels))
        }
        let overflow = MetricFamily(
            "mqtt_quic_bridge_admin_series_dropped_total", .counter,
            "Series of libraries that are not shown because there are too many.",
            [.init(.number(Double(dropped)))])
        return Array(families.values) + [overflow]
    }

    private func series(
        _ label: String, _ suffix: String, _ kind: MetricFamily.Kind, _ dimensions: [(String, String)]
    ) -> ReportedSeries {
        let name = MetricsText.name(label.hasSuffix(suffix) ? label : label + suffix)
        let key = Key(name: name, kind: kind, labels: dimensions.map { .init($0.0, $0.1) })
        return state.withLock { state in
            if let known = state.series[key] { return known }
            let new = ReportedSeries(kind)
            if state.series.count < limit {
                state.series[key] = new
            } else {
                state.dropped += 1
            }
            return new
        }
    }

    private func forget(_ handler: AnyObject) {
        state.withLock { state in
            state.series = state.series.filter { $0.value !== handler }
        }
    }

    // MARK: - MetricsFactory

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, "_total", .counter, dimensions)
    }

    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        series(label, "_total", .counter, dimensions)
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, "", .gauge, dimensions)
    }

    /// A recorder that aggregates is a histogram, the other one shows its last value.
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(label, "", aggregate ? .histogram : .gauge, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, "_seconds", .histogram, dimensions)
    }

    func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}

import BridgeCore
import CoreMetrics
import Synchronization

/// One series that a library reports through swift-metrics. Libraries report per request, not per packet, so a lock will do.
final class ReportedSeries: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private let state: Mutex<MetricFamily.Value>

    init(_ kind: MetricFamily.Kind) {
        state = Mutex(kind == .histogram ? .histogram(DurationHistogram()) : .number(0))
    }

    var value: MetricFamily.Value { state.withLock { $0 } }

    private func change(_ number: (Double) -> Double, orAdd seconds: Double = 0) {
        state.withLock { value in
            switch value {
            case .number(let old):
                value = .number(number(old))
            case .histogram(var histogram):
                histogram.add(seconds: seconds)
                value = .histogram(histogram)
            }
        }
    }

    // MARK: - Counters

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { change { $0 + amount } }
    func reset() { state.withLock { if case .number = $0 { $0 = .number(0) } } }

    // MARK: - Gauges

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { change { _ in value } }
    func decrement(by amount: Double) { change { $0 - amount } }

    // MARK: - Distributions

    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { change({ _ in value }, orAdd: value) }
    func recordNanoseconds(_ duration: Int64) { change({ _ in Double(duration) / 1e9 }, orAdd: Double(duration) / 1e9) }
}

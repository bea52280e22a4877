import BridgeCore
import Synchronization

/// A program that is not there, whose state a test sets.
final class FakeService: MonitoredService {
    let report: Mutex<StatusReport>
    let statusCalls = Mutex(0)

    init() {
        report = Mutex(
            StatusReport(
                program: .init(command: "run", version: "1.0", startedAt: 0, processID: 1, isDraining: false),
                uplink: .init(
                    state: .up, transport: "quic", endpoint: "broker:14567", mapping: "mux", since: 0, connections: 1),
                listen: [], devices: .init(), certificates: []))
    }

    func status() async -> StatusReport {
        statusCalls.withLock { $0 += 1 }
        return report.withLock { $0 }
    }

    func sample() async -> TrafficSample { TrafficSample() }
    func metrics() async -> [MetricFamily] { [] }
    func liveness() async -> ServiceState { ServiceState(ok: true, detail: "") }
    func readiness() async -> ServiceState { ServiceState(ok: true, detail: "") }
    func devices(_ query: DeviceQuery) async -> DevicePage { DevicePage(devices: [], next: nil, matching: 0) }
    func device(_ id: DeviceID) async -> DeviceDetail? { nil }
    func disconnect(_ id: DeviceID) async -> Bool { false }
    func drain(within limit: Duration?) async {}
}

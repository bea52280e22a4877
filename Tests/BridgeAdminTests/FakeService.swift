import BridgeCore
import Synchronization

/// A program that is not there, whose state a test sets.
final class FakeService: MonitoredService {
    let report: Mutex<StatusReport>
    let present: Mutex<[DeviceSummary]> = Mutex([])
    let statusCalls = Mutex(0)
    /// What both health checks answer.
    let states = Mutex(ServiceState(ok: true, detail: ""))
    let families: Mutex<[MetricFamily]> = Mutex([])
    /// Neither starting nor ending.
    let isRunning = Mutex(true)
    /// The limits of the drains that were asked for.
    let (drains, drained) = AsyncStream.makeStream(of: Duration?.self)

    init() {
        report = Mutex(
            StatusReport(
                program: .init(command: "run", version: "1.0", startedAt: 0, processID: 1, isDraining: false),
                uplink: .init(
                    state: .up, transport: "quic", endpoint: "broker:14567", mapping: "mux", since: 0, connections: 1),
                listen: [], devices: .init(), certificates: []))
    }

    /// A device connects.
    func add(_ clientID: String, id: DeviceID) {
        present.withLock {
            $0.append(
                DeviceSummary(
                    id: id, state: .live, clientID: clientID, address: "192.0.2.7:\(id)", listener: "0.0.0.0:1883",
                    connectedAt: 0, bytesUp: 1_200, bytesDown: 5))
        }
    }

    func remove(_ id: DeviceID) -> Bool {
        present.withLock { devices in
            defer { devices.removeAll { $0.id == id } }
            return devices.contains { $0.id == id }
        }
    }

    /// The broker goes: every device is held. Or it comes back.
    func setOutage(_ isDown: Bool) {
        report.withLock {
            $0.uplink.state = isDown ? .down : .up
            $0.uplink.problem = isDown ? "no answer" : nil
        }
        present.withLock { devices in
            for index in devices.indices { devices[index].state = isDown ? .held : .live }
        }
    }

    func status() async -> StatusReport {
        statusCalls.withLock { $0 += 1 }
        let states = present.withLock { $0.map(\.state) }
        return report.withLock {
            var report = $0
            report.devices.live = states.count { $0 == .live }
            report.devices.held = states.count { $0 == .held }
            return report
        }
    }

    func sample() async -> TrafficSample { TrafficSample() }
    func metrics() async -> [MetricFamily] { families.withLock { $0 } }
    func liveness() async -> ServiceState { states.withLock { $0 } }
    func readiness() async -> ServiceState { states.withLock { $0 } }

    func devices(_ query: DeviceQuery) async -> DevicePage {
        let matching = present.withLock { devices in
            devices.filter { device in query.clientID.map { device.clientID.contains($0) } ?? true }
        }
        let page = matching.filter { $0.id > query.after }
        return DevicePage(
            devices: Array(page.prefix(query.limit)),
            next: page.count > query.limit ? page[query.limit - 1].id : nil, matching: matching.count)
    }

    func device(_ id: DeviceID) async -> DeviceDetail? {
        present.withLock { $0.first { $0.id == id } }.map { DeviceDetail(summary: $0) }
    }

    func disconnect(_ id: DeviceID) async -> Bool { remove(id) }
    /// Takes a moment, as every event loop of the program has to stop taking devices.
    func drain(within limit: Duration?) async -> Bool {
        guard isRunning.withLock({ $0 }) else { return false }
        try? await Task.sleep(for: .milliseconds(50))
        report.withLock { $0.program.isDraining = true }
        drained.yield(limit)
        return true
    }
}

import BridgeCore

/// A monitor whose devices are those of ``MonitorState``: what it answers about one of them, and what it does with them,
/// is the same for `run` and `serve`.
protocol CensusMonitor: MonitoredService {
    associatedtype Host: MonitoredHost
    var state: MonitorState<Host> { get }
}

extension CensusMonitor {
    func liveness() async -> ServiceState { await state.liveness() }

    func devices(_ query: DeviceQuery) async -> DevicePage { await state.census.page(query) }

    func device(_ id: DeviceID) async -> DeviceDetail? {
        await state.census.with(id) { $0.detail(WallClock()) }
    }

    func disconnect(_ id: DeviceID) async -> Bool {
        await state.census.with(id) { $0.removeByOperator() } != nil
    }

    func drain(within limit: Duration?) async -> Bool { await state.drain(within: limit) }
}

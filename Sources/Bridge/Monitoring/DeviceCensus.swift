import BridgeCore
import NIOCore
import QUICTransport

/// A device as its event loop shows it.
protocol MonitoredDevice: AnyObject, SendableMetatype {
    var meter: DeviceMeter { get }
    /// As the device sent it; empty before CONNECT.
    var shownClientID: String { get }
    /// IP address and port.
    var shownAddress: String { get }
    func summary(_ clock: WallClock) -> DeviceSummary
    func detail(_ clock: WallClock) -> DeviceDetail
    /// Ends its session because an operator wants that.
    func removeByOperator()
}

/// The devices of one event loop.
protocol MonitoredHost: AnyObject, SendableMetatype {
    associatedtype Device: MonitoredDevice
    var eventLoop: any EventLoop { get }
    var devices: NumberedBook<Device> { get }
    var deviceCounts: DeviceCounts { get }
    /// The sockets of its QUIC connections.
    var sockets: [QUICEndpoint] { get }
    var reportedLosses: ReportedLosses { get set }
    /// Whether a drain has to wait for anybody here.
    var isOccupied: Bool { get }
}

/// Looks at the devices of all event loops in turns, between which the loops do their work.
struct DeviceCensus<Host: MonitoredHost>: Sendable {
    /// How many places of a loop's list are looked at in one turn: some 50 µs.
    static var turn: Int { 256 }

    let hosts: [NIOLoopBound<Host>]
    let gate: LoopGate

    /// Runs `body` on each loop, one after the other. Loops that have ended are left out.
    func collect<Result: Sendable>(_ body: @escaping @Sendable (Host) -> Result) async -> [Result] {
        var results: [Result] = []
        for host in hosts {
            if let result = await gate.run(on: host.eventLoop, { body(host.value) }) { results.append(result) }
        }
        return results
    }

    /// Calls `body` with every device behind a number, until it returns `false` for a loop. `Sum` is what it adds up to
    /// on one loop. Ends early if the task is cancelled.
    func fold<Sum: Sendable>(
        after id: DeviceID = 0, _ initial: Sum, _ body: @escaping @Sendable (inout Sum, Host.Device) -> Bool
    ) async -> [Sum] {
        var sums: [Sum] = []
        for host in hosts {
            var (sum, next) = (initial, DeviceID?.some(id))
            while let start = next, !Task.isCancelled {
                let (before, turn) = (sum, Self.turn)
                let result = await gate.run(on: host.eventLoop) {
                    var sum = before
                    let next = host.value.devices.turn(after: start, limit: turn) { body(&sum, $0) }
                    return (sum, next)
                }
                guard let result else { break }
                (sum, next) = result
            }
            sums.append(sum)
        }
        return sums
    }

    func counts() async -> DeviceCounts {
        await collect { $0.deviceCounts }.reduce(DeviceCounts(), +)
    }

    // MARK: - One device

    /// Runs `body` with the device that has the number; returns `nil` if none has it.
    func with<Result: Sendable>(
        _ id: DeviceID, _ body: @escaping @Sendable (Host.Device) -> Result
    ) async -> Result? {
        for host in hosts {
            // The first optional is for the loop, the second for the device.
            if let found = await gate.run(on: host.eventLoop, { host.value.devices[id].map(body) }), let found {
                return found
            }
        }
        return nil
    }

    // MARK: - Pages

    private struct Part: Sendable {
        var devices: [DeviceSummary] = []
        var matching = 0
    }

    func page(_ query: DeviceQuery) async -> DevicePage {
        let query = query.bounded
        // Without a filter, a page is found by its number, and the others need no look.
        let start = query.isOpen ? query.after : 0
        let clock = WallClock()
        let parts = await fold(after: start, Part()) { part, device in
            guard
                query.matches(
                    state: device.meter.state, clientID: device.shownClientID, address: device.shownAddress)
            else { return true }
            part.matching += 1
            // One more than wanted shows whether there is another page.
            if device.meter.id > query.after, part.devices.count <= query.limit {
                part.devices.append(device.summary(clock))
            }
            return !query.isOpen || part.devices.count <= query.limit
        }
        var devices = parts.flatMap(\.devices).sorted { $0.id < $1.id }
        let hasMore = devices.count > query.limit
        devices = Array(devices.prefix(query.limit))
        let matching = query.isOpen ? await counts().all : parts.reduce(0) { $0 + $1.matching }
        return DevicePage(devices: devices, next: hasMore ? devices.last?.id : nil, matching: matching)
    }
}

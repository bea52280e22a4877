import Bridge
import BridgeCore
import Foundation
import Logging
import Synchronization
import Testing

@testable import mqtt_quic_bridge

/// What a service manager is told of a service whose event loops can be stopped.
struct NotifyServiceTests {
    /// A datagram socket such as systemd's.
    private final class Manager: Sendable {
        let path: String
        private let descriptor: CInt

        init() throws {
            path = "\(NSTemporaryDirectory())notify-\(UUID().uuidString.prefix(8))"
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: [UInt8](path.utf8) + [0]) }
            let result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(result == 0)
        }

        deinit {
            close(descriptor)
            unlink(path)
        }

        /// The next message; `nil` if there is none yet.
        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
        }

        func first(_ fits: (String) -> Bool) async throws -> String {
            for _ in 0..<3_000 {
                if let message = next() {
                    if fits(message) { return message }
                } else {
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            throw CancellationError()
        }
    }

    private func run(
        _ service: FakeWatchedService, _ environment: [String: String], _ body: (Manager) async throws -> Void
    ) async throws {
        let manager = try Manager()
        let all = environment.merging(["NOTIFY_SOCKET": manager.path]) { mine, _ in mine }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let notify = try #require(
            NotifyService(ServiceManager(all, processID: 7, logger: logger), service, logger: logger))
        let task = Task { try await notify.run() }
        try await body(manager)
        task.cancel()
        try await task.value
        #expect(try await manager.first { $0.hasPrefix("STOPPING=1") } == "STOPPING=1\nSTATUS=ending all sessions")
    }

    @Test func readyComesWithTheFirstAddressAndNotBefore() async throws {
        let service = FakeWatchedService()
        try await run(service, [:]) { manager in
            try await Task.sleep(for: .milliseconds(60))
            #expect(manager.next() == nil)
            service.fake.state.withLock { $0.listening = ["127.0.0.1:1883"] }
            let ready = try await manager.first { _ in true }
            #expect(ready.hasPrefix("READY=1\nSTATUS=listening on 127.0.0.1:1883; broker not tried yet"))
        }
    }

    @Test func theWatchdogHearsNothingOfAStuckEventLoop() async throws {
        let service = FakeWatchedService()
        service.fake.state.withLock { $0.listening = ["127.0.0.1:1883"] }
        try await run(service, ["WATCHDOG_USEC": "20000", "WATCHDOG_PID": "7"]) { manager in
            _ = try await manager.first { $0 == "WATCHDOG=1" }
            service.fake.state.withLock { $0.isAlive = false }
            let asked = service.fake.state.withLock { $0.asked }
            // What was sent before the loop was found stuck may still be in the socket.
            while service.fake.state.withLock({ $0.asked }) < asked + 3 { try await Task.sleep(for: .milliseconds(5)) }
            while manager.next() != nil {}
            while service.fake.state.withLock({ $0.asked }) < asked + 8 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(manager.next() == nil)
            service.fake.state.withLock { $0.isAlive = true }
            _ = try await manager.first { $0 == "WATCHDOG=1" }
        }
    }

    @Test func anotherProcessIsNotWatched() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let manager = ServiceManager(["WATCHDOG_USEC": "20000", "WATCHDOG_PID": "8"], processID: 7, logger: logger)
        #expect(manager.watchdog == nil && manager.sender == nil)
        #expect(NotifyService(manager, FakeWatchedService(), logger: logger) == nil)
    }

    @Test func aReloadIsTold() async throws {
        let manager = try Manager()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let told = ServiceManager(["NOTIFY_SOCKET": manager.path], processID: 7, logger: logger)
        await told.reloading()
        let message = try await manager.first { _ in true }
        #expect(message.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        #expect(UInt64(message.split(separator: "=").last ?? "") ?? 0 > 0)
        await told.ready()
        #expect(try await manager.first { _ in true } == "READY=1")
    }
}

/// A service that does nothing.
struct FakeWatchedService: WatchedService {
    let fake = FakeMonitor()
    var monitor: any MonitoredService { fake }
    var listening: [String] { fake.state.withLock { $0.listening } }
    var configuration: BridgeConfiguration {
        BridgeConfiguration(uplink: UplinkConfiguration(host: "a", caFile: "ca.pem"))
    }
    func run() async throws {}
    func reload(
        _ new: BridgeConfiguration, isDryRun: Bool, isAllOrNothing: Bool
    ) async throws -> ReloadReport {
        ReloadReport(ok: true)
    }
}

final class FakeMonitor: MonitoredService {
    struct State: Sendable {
        var listening: [String] = []
        var isAlive = true
        var asked = 0
    }

    let state = Mutex(State())

    func status() async -> StatusReport {
        StatusReport(
            program: .init(command: "run", version: "1", startedAt: 0, processID: 1, isDraining: false),
            uplink: .init(state: .unknown, transport: "quic", endpoint: "broker:14567", since: 0, connections: 0),
            listen: state.withLock { $0.listening }, devices: DeviceCounts(), certificates: [])
    }

    func liveness() async -> ServiceState {
        state.withLock {
            $0.asked += 1
            return ServiceState(ok: $0.isAlive, detail: "")
        }
    }

    func sample() async -> TrafficSample { TrafficSample() }
    func metrics() async -> [MetricFamily] { [] }
    func readiness() async -> ServiceState { ServiceState(ok: true, detail: "") }
    func devices(_ query: DeviceQuery) async -> DevicePage { DevicePage(devices: [], next: nil, matching: 0) }
    func device(_ id: DeviceID) async -> DeviceDetail? { nil }
    func disconnect(_ id: DeviceID) async -> Bool { false }
    func drain(within limit: Duration?) async -> Bool { true }
}

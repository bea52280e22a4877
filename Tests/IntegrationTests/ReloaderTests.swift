import BridgeCore
import Foundation
import Logging
import Synchronization
import Testing

@testable import Bridge
@testable import mqtt_quic_bridge

/// Reloads that are asked for while another one is under way.
@Suite(.timeLimit(.minutes(5)))
struct ReloaderTests {
    /// A service that takes its time to reload.
    private struct Slow: WatchedService {
        final class State: Sendable {
            let running = Atomic<Int>(0)
            let most = Atomic<Int>(0)
            let seen = Mutex<[Int]>([])
        }

        let state = State()
        let gate = AsyncStream.makeStream(of: Void.self)

        var configuration: BridgeConfiguration {
            BridgeConfiguration(uplink: UplinkConfiguration(host: "a", caFile: "ca.pem"))
        }
        var listening: [String] { [] }
        var monitor: any MonitoredService { preconditionFailure("nobody watches this service") }

        func run() async throws {}

        func reload(
            _ new: BridgeConfiguration, isDryRun: Bool, isAllOrNothing: Bool
        ) async throws -> ReloadReport {
            let now = state.running.add(1, ordering: .relaxed).newValue
            state.most.store(max(now, state.most.load(ordering: .relaxed)), ordering: .relaxed)
            state.seen.withLock { $0.append(new.limits.devices) }
            for await _ in gate.stream { break }
            state.running.subtract(1, ordering: .relaxed)
            return ReloadReport(ok: true)
        }

        /// Waits until that many reloads have begun.
        func begins(_ count: Int) async throws {
            while state.seen.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    private func world(_ folder: Folder) async throws -> (service: Slow, reloader: Reloader<Slow>) {
        try write(1, folder)
        let ca = try await Certificates.make().certificate("ca")
        try folder.write("ca.pem", try String(contentsOfFile: ca, encoding: .utf8))
        let options = try ConfigurationOptions.parse(["--config", "\(folder.path)/bridge.yaml"])
        let source = ConfigurationSource(.run, options, try LogOptions.parse([]), environment: [:]) { _ in nil }
        let service = Slow()
        let output = LogOutput(LogConfiguration()) { _ in }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return (service, Reloader(service, source, logger, output))
    }

    private func write(_ devices: Int, _ folder: Folder) throws {
        try folder.write(
            "bridge.yaml",
            """
            uplink: {host: a.example, ca: ca.pem}
            unrouted: pass
            limits: {devices: \(devices)}
            """)
    }

    /// Signals that come during a reload lead to one more reload behind it, which reads the last file.
    @Test func signalsDuringAReloadAreCoalescedAndNotLost() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let (service, reloader) = try await world(folder)
        let (requests, request) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let following = Task { await reloader.follow(requests) }
        request.yield()
        try await service.begins(1)
        for devices in 2...9 {
            try write(devices, folder)
            request.yield()
        }
        service.gate.continuation.yield()
        try await service.begins(2)
        service.gate.continuation.yield()
        request.finish()
        await following.value
        #expect(service.state.seen.withLock { $0 } == [1, 9])
    }

    @Test func onlyOneRunsAtATimeAndFewWait() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let (service, reloader) = try await world(folder)
        let reports = await withTaskGroup(of: ReloadReport.self) { group in
            for _ in 0..<40 { group.addTask { await reloader.reload(isDryRun: false, isAllOrNothing: false) } }
            // Those that are refused are answered at once.
            var reports: [ReloadReport] = []
            for await report in group {
                reports.append(report)
                if reports.count == 24 { for _ in 0..<16 { service.gate.continuation.yield() } }
            }
            return reports
        }
        #expect(reports.count { $0.ok } == 16)
        #expect(reports.first { !$0.ok }?.errors.first?.contains("waiting already") == true)
        #expect(service.state.most.load(ordering: .relaxed) == 1)
        #expect(service.state.seen.withLock { $0.count } == 16)
    }
}

import Bridge
import BridgeCore
import Logging
import ServiceLifecycle

/// Keeps the service manager informed while the program runs: when it listens, how it is, that its event loops turn, and
/// when it begins to end.
struct NotifyService: Service {
    private let manager: ServiceManager
    private let sender: NoticeSender
    private let service: any WatchedService
    private let logger: Logger

    /// How often the status is looked at. It is sent if it has changed.
    private static let statusInterval = Duration.seconds(5)

    /// `nil` if the service manager does not want to be told anything.
    init?(_ manager: ServiceManager, _ service: any WatchedService, logger: Logger) {
        guard let sender = manager.sender else { return nil }
        self.manager = manager
        self.sender = sender
        self.service = service
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            guard let addresses = await service.untilListening() else { return }
            let status = await status(addresses)
            if let problem = await sender.send(.ready(status: status)) {
                logger.warning("the service manager is not told", metadata: ["error": "\(problem)"])
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await keepStatus(status) }
                group.addTask { await keepWatchdogCalm() }
            }
        }
        _ = await sender.send(.stopping(status: "ending all sessions"))
    }

    private func keepStatus(_ first: String) async {
        var last = first
        while await pause(Self.statusInterval) {
            let status = await status(service.listening)
            guard status != last, await sender.send(.status(status)) == nil else { continue }
            last = status
        }
    }

    /// Without a message in time the service manager ends the program and starts it again, which is right if an event
    /// loop is stuck, and with it the devices on it.
    private func keepWatchdogCalm() async {
        guard let interval = manager.watchdog else { return }
        var isCalm = true
        repeat {
            let state = await service.monitor.liveness()
            if state.ok {
                _ = await sender.send(.watchdog)
            } else if isCalm {
                logger.error(
                    "the watchdog is not told that all is well, so the service manager may restart the program",
                    metadata: ["reason": "\(state.detail)"])
            }
            isCalm = state.ok
        } while await pause(interval)
    }

    private func status(_ addresses: [String]) async -> String {
        let report = await service.monitor.status()
        return addresses.isEmpty ? report.line : "listening on \(addresses.joined(separator: ", ")); \(report.line)"
    }

    /// Returns whether to go on.
    private func pause(_ time: Duration) async -> Bool {
        do {
            try await Task.sleep(for: time)
            return true
        } catch {
            return false
        }
    }
}

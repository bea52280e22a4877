import BridgeCore
import Foundation
import NIOCore
import Synchronization

/// What the monitors of `run` and `serve` have in common: which event loops there are, where they listen, and whether
/// they turn.
final class MonitorState<Host: MonitoredHost>: Sendable {
    struct Running: Sendable {
        var census = DeviceCensus<Host>(hosts: [])
        var listen: [String] = []
        var isDraining = false
        /// Performs ``MonitoredService/drain(within:)``.
        var drain: (@Sendable (Duration?) async -> Void)?
    }

    /// How long an event loop may take to run a task.
    static var patience: Duration { .seconds(2) }

    private let state = Mutex(Running())
    let startedAt = Date().timeIntervalSince1970

    /// As of now; without loops before the service runs and after it has ended.
    var running: Running { state.withLock { $0 } }
    var census: DeviceCensus<Host> { running.census }

    func began(_ hosts: [NIOLoopBound<Host>], listening addresses: [String]) {
        state.withLock {
            $0.census = DeviceCensus(hosts: hosts)
            $0.listen = addresses
        }
    }

    func ended() {
        state.withLock {
            $0.census = DeviceCensus(hosts: [])
            $0.listen = []
        }
    }

    /// - Parameter drain: Takes no new devices, and ends the program when all have left or after that time.
    func drains(by drain: @escaping @Sendable (Duration?) async -> Void) {
        state.withLock { $0.drain = drain }
    }

    func drain(within limit: Duration?) async {
        let drain = state.withLock { state in
            state.isDraining = state.drain != nil
            return state.drain
        }
        await drain?(limit)
    }

    func program(_ command: String) -> StatusReport.Program {
        StatusReport.Program(
            command: command, version: Version.current, startedAt: startedAt,
            processID: Int(ProcessInfo.processInfo.processIdentifier), isDraining: running.isDraining)
    }

    /// Whether each loop runs a task in time.
    func liveness() async -> ServiceState {
        let loops = census.hosts.map(\.eventLoop)
        guard !loops.isEmpty else { return ServiceState(ok: true, detail: "the program is starting or ending") }
        let stuck = await withTaskGroup(of: Int.self) { group in
            for loop in loops {
                group.addTask { await Self.turns(loop) ? 0 : 1 }
            }
            return await group.reduce(0, +)
        }
        return stuck == 0
            ? ServiceState(ok: true, detail: loops.count == 1 ? "the event loop turns" : "all event loops turn")
            : ServiceState(
                ok: false,
                detail: "\(stuck) of \(loops.count) event loops ran no task within \(Self.patience): they are stuck or "
                    + "overloaded")
    }

    /// The first answer counts; a task that waits for a stuck loop is left behind.
    private static func turns(_ loop: any EventLoop) async -> Bool {
        let (answers, answer) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingOldest(1))
        loop.execute { answer.yield(true) }
        let impatience = Task {
            try? await Task.sleep(for: patience)
            answer.yield(false)
        }
        defer { impatience.cancel() }
        for await turns in answers { return turns }
        return false
    }
}

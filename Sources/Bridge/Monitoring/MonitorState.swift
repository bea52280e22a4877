import BridgeCore
import NIOCore
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the monitors of `run` and `serve` have in common: which event loops there are, where they listen, and whether
/// they turn.
final class MonitorState<Host: MonitoredHost>: Sendable {
    struct Running: Sendable {
        var census = DeviceCensus<Host>(hosts: [], gate: LoopGate())
        /// Empty before the service listens, and when it takes nobody new any more.
        var listen: [String] = []
        /// When the program ends although devices are left; `nil` unless it drains.
        var drainsUntil: ContinuousClock.Instant?
        /// Has the service take no new devices from now on. May be called again.
        var stopTaking: (@Sendable (_ within: Duration) async -> Void)?

        var isDraining: Bool { drainsUntil != nil }
    }

    /// How long an event loop may take to run a task.
    static var patience: Duration { .seconds(2) }

    private let state = Mutex(Running())
    let drainTimeout: @Sendable () -> Duration
    let (drainBegins, drainBegan) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
    private let pulse = PacedProbe<ServiceState>(every: .milliseconds(200))
    let startedAt = Date().timeIntervalSince1970

    /// As of now; without loops before the service runs and after it has ended.
    var running: Running { state.withLock { $0 } }
    var census: DeviceCensus<Host> { running.census }

    /// - Parameter drainTimeout: How long a drain takes at most if nobody says how long.
    init(drainTimeout: @escaping @Sendable () -> Duration) {
        self.drainTimeout = drainTimeout
        DeviceMeter.beginNumbers(at: startedAt)
    }

    /// - Parameter stopTaking: Has the service take no new devices from now on. May be called again.
    func began(
        _ hosts: [NIOLoopBound<Host>], listening addresses: [String],
        stopTaking: @escaping @Sendable (_ within: Duration) async -> Void
    ) {
        state.withLock {
            $0.census = DeviceCensus(hosts: hosts, gate: LoopGate())
            $0.listen = addresses
            $0.stopTaking = stopTaking
        }
    }

    /// The service listens no more, and ends its sessions.
    func ending() {
        state.withLock {
            $0.listen = []
            $0.stopTaking = nil
        }
    }

    /// Nothing is left, and the event loops are about to be shut down.
    func ended() {
        let gate = state.withLock {
            let gate = $0.census.gate
            $0.census = DeviceCensus(hosts: [], gate: gate)
            $0.listen = []
            $0.stopTaking = nil
            return gate
        }
        gate.close()
    }

    /// Returns how to stop taking new devices; `nil` if the service does not run.
    func beginDrain(within limit: Duration) -> (@Sendable (Duration) async -> Void)? {
        state.withLock { state in
            guard let stopTaking = state.stopTaking else { return nil }
            state.drainsUntil = .now + limit
            state.listen = []
            return stopTaking
        }
    }

    func program(_ command: String) -> StatusReport.Program {
        StatusReport.Program(
            command: command, version: Version.current, startedAt: startedAt,
            processID: Int(ProcessInfo.processInfo.processIdentifier), isDraining: running.isDraining)
    }

    /// Whether each loop runs a task in time. Everybody who asks at the same time gets the same answer, so that a loop
    /// that is stuck gets no more tasks than it would in the end have to run.
    func liveness() async -> ServiceState {
        await pulse.outcome { [self] in await feelPulse() }
    }

    private func feelPulse() async -> ServiceState {
        let (loops, gate) = (census.hosts.map(\.eventLoop), census.gate)
        guard !loops.isEmpty else { return ServiceState(ok: true, detail: "the program is starting or ending") }
        let stuck = await withTaskGroup(of: Int.self) { group in
            for loop in loops {
                group.addTask { await Self.turns(loop, gate) ? 0 : 1 }
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
    private static func turns(_ loop: any EventLoop, _ gate: LoopGate) async -> Bool {
        let (answers, answer) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingOldest(1))
        guard gate.send(to: loop, { answer.yield(true) }) else { return true }
        let impatience = Task {
            try? await Task.sleep(for: patience)
            answer.yield(false)
        }
        defer { impatience.cancel() }
        for await turns in answers { return turns }
        return false
    }
}

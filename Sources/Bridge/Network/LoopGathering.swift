import BridgeCore
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Has an event loop wait between its turns while ``TurnGathering`` says so.
///
/// Confined to its event loop. The loop's thread sleeps: it belongs to the service alone, everything that it could do
/// would be a turn, and the kernel keeps what comes meanwhile. Nothing less would do, because each socket that becomes
/// readable wakes a loop that waits for its sockets.
final class LoopGathering: Sendable {
    private static let ofThread = ThreadSpecificVariable<LoopGathering>()

    private let turns: NIOLoopBoundBox<TurnGathering>

    private init(delay: TimeAmount, eventLoop: any EventLoop) {
        turns = NIOLoopBoundBox(TurnGathering(delay: delay, at: .now()), eventLoop: eventLoop)
    }

    /// Makes the event loop, on which this is called, gather; `nil` if the delay is zero. Its group must have been made
    /// with ``LoopGathering/TurnEnds``.
    static func begin(delay: Duration, on eventLoop: any EventLoop) -> LoopGathering? {
        guard delay > .zero else { return nil }
        let gathering = LoopGathering(delay: TimeAmount(delay), eventLoop: eventLoop)
        ofThread.currentValue = gathering
        return gathering
    }

    /// A device or the broker has sent something.
    func arrived() {
        turns.value.arrived(at: .now())
    }

    private func turnEnded(at now: NIODeadline) {
        let wait = turns.value.turnEnded(at: now)
        guard wait > .zero else { return }
        GatherWaits.count()
        // Less than a second. A signal may end it early, which does no harm.
        var time = timespec(tv_sec: 0, tv_nsec: Int(wait.nanoseconds))
        nanosleep(&time, nil)
    }

    /// Tells the loops of a group when a turn has ended.
    struct TurnEnds: NIOEventLoopMetricsDelegate {
        func processedTick(info: NIOEventLoopTickInfo) {
            ofThread.currentValue?.turnEnded(at: info.endTime)
        }
    }
}

/// Counts how often event loops of this process waited, so that one can see whether `gather_delay` has an effect.
enum GatherWaits {
    private static let counter = Atomic<UInt64>(0)

    /// Since the process began; from any thread.
    static var total: UInt64 { counter.load(ordering: .relaxed) }

    fileprivate static func count() {
        counter.wrappingAdd(1, ordering: .relaxed)
    }
}

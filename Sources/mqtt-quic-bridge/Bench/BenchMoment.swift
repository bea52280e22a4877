import NIOCore
import Synchronization

/// A moment that one task sets and another reads.
final class BenchMoment: Sendable {
    private let moment = Mutex<NIODeadline?>(nil)

    func set(_ value: NIODeadline) { moment.withLock { $0 = value } }

    /// Seconds since then; `nil` before.
    var elapsed: Double? {
        moment.withLock { $0 }.map { Double((NIODeadline.now() - $0).nanoseconds) / 1e9 }
    }
}

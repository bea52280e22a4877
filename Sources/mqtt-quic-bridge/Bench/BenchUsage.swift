#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How much of this machine's processors a time has taken.
struct BenchUsage: Sendable, Equatable {
    private static let shortest = 0.2

    /// Processors that this program kept busy, on average; 0 if the time was too short to tell.
    var used: Double
    /// Processors that it may use.
    var available: Int

    /// Whether this program had no processor time left: the latencies are then its own too.
    var isExhausted: Bool { used > 0.85 * Double(available) }

    /// The processor time of this program so far, user and system, in seconds.
    static var processorSeconds: Double {
        var usage = rusage()
        // RUSAGE_SELF is zero on all systems; its type differs.
        guard getrusage(.init(0), &usage) == 0 else { return 0 }
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// - Parameter processorSeconds: The processor time before.
    init(since processorSeconds: Double, seconds: Double) {
        // The clock of the processor time is too coarse for less.
        used = seconds >= Self.shortest ? (Self.processorSeconds - processorSeconds) / seconds : 0
        available = ProcessInfo.processInfo.activeProcessorCount
    }

    init(used: Double, available: Int) {
        self.used = used
        self.available = available
    }
}

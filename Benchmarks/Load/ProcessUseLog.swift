import Glibc
import Measurement

/// What the watched processes, and this thread, have used: before the devices connect, at the beginning and the end of
/// the window, and at the end of each minute.
final class ProcessUseLog {
    /// One minute of a long run.
    struct Minute {
        var arrived: Int
        var endToEnd: LatencyHistogram
        var nanoseconds: Int64
        var before: [ProcessSample]
        var after: [ProcessSample]
    }

    let processes: [WatchedProcess]
    private(set) var before: [ProcessSample] = []
    private(set) var windowStart: [ProcessSample] = []
    private(set) var windowEnd: [ProcessSample] = []
    private(set) var minutes: [Minute] = []
    /// When the last sample was taken; `nil` before the window.
    private(set) var last: Int64?
    /// This thread's CPU time in the window, in microseconds.
    private(set) var ownMicroseconds = 0.0
    private var ownStart = 0.0

    init(_ processes: [WatchedProcess]) {
        self.processes = processes
    }

    func begin() {
        before = samples()
    }

    /// Reads the figures of all processes.
    /// - Parameter minute: What arrived since the previous sample, if this ends a minute.
    func sample(at now: Int64, as minute: (arrived: Int, endToEnd: LatencyHistogram)?) {
        let samples = samples()
        if let last {
            if let minute {
                minutes.append(
                    Minute(
                        arrived: minute.arrived, endToEnd: minute.endToEnd, nanoseconds: now - last,
                        before: windowEnd, after: samples))
            }
            ownMicroseconds = Self.threadMicroseconds() - ownStart
        } else {
            windowStart = samples
            ownStart = Self.threadMicroseconds()
        }
        windowEnd = samples
        last = now
    }

    private func samples() -> [ProcessSample] { processes.map { ProcessSample(pid: $0.pid) } }

    private static func threadMicroseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
}

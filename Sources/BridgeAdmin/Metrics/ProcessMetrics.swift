import BridgeCore
import FileReading

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

/// What the system says about the process, under the names that Prometheus's own clients use. Without `/proc` there is
/// none of it.
enum ProcessMetrics {
    static func families() -> [MetricFamily] {
        var families: [MetricFamily] = []
        func add(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double?) {
            guard let value else { return }
            families.append(MetricFamily("process_" + name, kind, help, [.init(.number(value))]))
        }
        let figures = text(of: "/proc/self/stat").flatMap { Figures($0) }
        add("cpu_seconds_total", .counter, "User and system CPU time in seconds.", figures.map { $0.cpu / ticks })
        add(
            "resident_memory_bytes", .gauge, "Resident memory in bytes.",
            figures.map { $0.pages * Double(sysconf(Int32(_SC_PAGESIZE))) })
        add("open_fds", .gauge, "Open file descriptors.", openFiles())
        add("max_fds", .gauge, "The limit of open file descriptors.", fileLimit())
        add(
            "start_time_seconds", .gauge, "Start of the process in seconds since 1970-01-01T00:00:00Z.",
            startTime)
        return families
    }

    /// Computed once, so that it changes with no scrape. The time of the boot is not read from `/proc/stat`, which
    /// systemd's `ProcSubset=pid` hides.
    private static let startTime: Double? = {
        guard let figures = text(of: "/proc/self/stat").flatMap({ Figures($0) }),
            let now = seconds(CLOCK_REALTIME), let sinceBoot = seconds(CLOCK_BOOTTIME)
        else { return nil }
        return now - sinceBoot + figures.start / ticks
    }()

    private static let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))

    private static func seconds(_ clock: clockid_t) -> Double? {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The fields of proc_pid_stat(5) that are needed.
    struct Figures: Equatable {
        /// In clock ticks; the start counts from the boot.
        var cpu: Double
        var start: Double
        /// Resident memory.
        var pages: Double

        /// The second field is the name of the program in parentheses, which may contain anything.
        init?(_ stat: String) {
            guard let end = stat.lastIndex(of: ")") else { return nil }
            // The first of these is field 3.
            let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
            guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
                let start = Double(fields[19]), let pages = Double(fields[21])
            else { return nil }
            self.cpu = user + system
            self.start = start
            self.pages = pages
        }
    }

    private static func openFiles() -> Double? {
        // One of them is the folder itself.
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double(max($0.count - 1, 0)) }
    }

    private static func fileLimit() -> Double? {
        var limit = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return nil }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }

    /// The text of a file in `/proc`.
    private static func text(of path: String) -> String? {
        (try? BoundedFile.read(path, upTo: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
    }
}

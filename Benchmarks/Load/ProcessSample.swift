import Glibc

/// What a process has used since it began, and its memory now. Figures that cannot be read are `nil`.
package struct ProcessSample {
    package var cpuMicroseconds: Double?
    package var residentKiB: Int?
    /// What of it the process has allocated, without the pages of its files that it has used so far.
    package var allocatedKiB: Int?
    var contextSwitches: Int?
    /// Open files and sockets.
    package var descriptors: Int?
    package var threads: Int?

    /// Reads the files of a process in /proc.
    package init(pid: Int32) {
        let folder = "/proc/\(pid)"
        let tasks = Self.names(in: folder + "/task")
        cpuMicroseconds = Self.clock(pid) ?? Self.text(folder + "/stat").flatMap(Self.cpu(stat:))
        let status = Self.text(folder + "/status")
        residentKiB = status.flatMap { Self.field("VmRSS:", in: $0) }
        allocatedKiB = status.flatMap { Self.field("RssAnon:", in: $0) }
        contextSwitches = Self.switches(tasks, folder)
        let files = Self.names(in: folder + "/fd")
        descriptors = files.isEmpty ? nil : files.count
        threads = tasks.isEmpty ? nil : tasks.count
    }

    /// User and system time from the content of /proc/PID/stat, in microseconds. Its resolution is one tick, 10 ms.
    static func cpu(stat: String) -> Double? {
        // The second field is the command in parentheses, which may itself hold spaces and parentheses.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) * 1e6 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The number after a name in the content of /proc/PID/status.
    static func field(_ name: String, in status: String) -> Int? {
        for line in status.split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap {
                Int($0)
            }
        }
        return nil
    }

    /// The process's CPU clock, in microseconds: user and system time of all its threads to the nanosecond, also of those
    /// that have ended. `nil` if there is no such process.
    private static func clock(_ pid: Int32) -> Double? {
        // The clock's identifier has no room for numbers that are larger than Linux gives to processes.
        guard (1...1 << 22).contains(pid) else { return nil }
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }

    private static func switches(_ tasks: [String], _ folder: String) -> Int? {
        var total: Int?
        for task in tasks {
            guard let status = text("\(folder)/task/\(task)/status"),
                let voluntary = field("voluntary_ctxt_switches:", in: status),
                let involuntary = field("nonvoluntary_ctxt_switches:", in: status)
            else { continue }
            total = (total ?? 0) + voluntary + involuntary
        }
        return total
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    /// The first 8 KiB of a file; what is read here is shorter.
    private static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, buffer.count))
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}

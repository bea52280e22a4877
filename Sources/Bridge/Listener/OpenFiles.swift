#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How many files the process may open. Each device needs one.
package enum OpenFiles {
    /// Files for everything but devices: event loops, UDP sockets, listeners, the admin endpoint. Without them, the
    /// connections of all devices would be lost with the next change of the network.
    package static func reserve(_ threads: Int) -> Int { 100 + 4 * threads }

    /// How many devices there are files for now, besides those of the program itself.
    static func devices(besides threads: Int) -> Int {
        let files = Int(clamping: limit.rlim_cur)
        return files - min(reserve(threads), files / 2)
    }

    /// Throws if there are not enough files for that many event loops. SwiftNIO would end the process.
    static func check(threads: Int) throws(TooFewFiles) {
        let files = Int(clamping: limit.rlim_max)
        // A loop has three, and some are needed before the first device comes.
        guard files < 3 * threads + 32 else { return }
        throw TooFewFiles(files: files, threads: threads)
    }

    private static var limit: rlimit {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return rlimit(rlim_cur: .max, rlim_max: .max)
        }
        return limit
    }
}

/// The system lets the process open fewer files than its threads need.
struct TooFewFiles: Error, CustomStringConvertible {
    let files: Int
    let threads: Int

    var description: String {
        "threads is \(threads), and the system lets this program open only \(files) files: raise the limit (ulimit -n, "
            + "LimitNOFILE=) or lower threads"
    }
}

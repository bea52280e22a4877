import Glibc

/// How many files a process may have open. The suite's limit is also that of all programs that it starts.
package enum FileLimit {
    /// HAProxy needs two for each of 10,000 devices. Only root may have more than the hard limit.
    private static let wanted: rlim_t = 65_536

    /// The present limit.
    static var current: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the limit as far as this user may.
    package static func raise() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        var higher = rlimit(rlim_cur: wanted, rlim_max: max(wanted, limit.rlim_max))
        if setrlimit(resource, &higher) != 0 {
            higher = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
            _ = setrlimit(resource, &higher)
        }
    }
}

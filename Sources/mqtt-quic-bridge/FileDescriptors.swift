import Bridge

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The process's limit on open files. Every device needs one.
enum FileDescriptors {
    /// Raises the soft limit as far as `devices` need and the hard limit allows. Returns a warning if the hard limit is too
    /// low.
    /// - Parameters:
    ///   - threads: The event loops, which need files too.
    ///   - name: The key that `devices` comes from.
    static func raise(for devices: Int, threads: Int = 0, name: String = "limits.devices") -> String? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        let needed = rlim_t(clamping: devices) + rlim_t(OpenFiles.reserve(threads))
        if limit.rlim_cur < needed {
            limit.rlim_cur = min(needed, limit.rlim_max)
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        guard limit.rlim_cur < needed else { return nil }
        return "\(name) is \(devices), but the system lets this program open only \(limit.rlim_max) files: "
            + "raise the limit (ulimit -n, LimitNOFILE=) or lower \(name)"
    }

    /// Raises the soft limit to the hard limit, because the number of files depends on how many streams clients open.
    /// Returns a warning if the limit is too low even for `count` files.
    static func raiseFully(for count: Int, threads: Int, name: String) -> String? {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return raise(for: count, threads: threads, name: name)
    }
}

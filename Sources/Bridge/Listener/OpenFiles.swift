#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How many files the process may open. Each device needs one.
package enum OpenFiles {
    /// Files for everything but devices: listeners, UDP sockets, event loops, the admin endpoint. Without them, the
    /// connections of all devices would be lost with the next change of the network.
    package static let reserve = 100

    /// How many devices there are files for.
    static var devices: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        let files = Int(clamping: limit.rlim_cur)
        return files - min(reserve, files / 2)
    }
}

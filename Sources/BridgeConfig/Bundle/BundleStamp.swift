#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The properties by which the files of a bundle are known to have changed, mixed into one number.
struct BundleStamp: Equatable, Sendable {
    private let value: Int

    /// - Parameter folder: The folder of the bundle. What is missing in it counts as well.
    init(_ folder: String) {
        var hasher = Hasher()
        for file in BundleFile.allCases {
            var status = stat()
            guard stat(PathResolver.resolve(file.rawValue, in: folder), &status) == 0 else {
                hasher.combine(errno)
                continue
            }
            hasher.combine(status.st_dev)
            hasher.combine(status.st_ino)
            hasher.combine(status.st_mode)
            hasher.combine(status.st_size)
            // A rename or a change of mode does not touch the time of the last modification.
            for time in [status.st_mtim, status.st_ctim] {
                hasher.combine(time.tv_sec)
                hasher.combine(time.tv_nsec)
            }
        }
        value = hasher.finalize()
    }
}

#if canImport(Glibc)
    // Its `stdout` is a variable, which nothing changes.
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#elseif canImport(Darwin)
    @preconcurrency import Darwin
#endif

/// What `print` writes. The C library keeps some of it back until it is flushed.
enum StandardOutput {
    /// Writes what is kept back.
    ///
    /// - Returns: Why something could not be written, now or before; `nil` if everything was.
    static func flush() -> String? {
        guard fflush(stdout) == 0 else { return String(cString: strerror(errno)) }
        // What a failed flush had to write is dropped, so that the next one has nothing to complain of.
        return ferror(stdout) == 0 ? nil : "not everything could be written"
    }
}

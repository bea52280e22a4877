#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The descriptors of standard input, output and error.
enum StandardDescriptors {
    /// Takes the place of each of them that the caller has closed (`>&-`). Otherwise the next socket would get its number,
    /// and what is printed would be written into that socket. Reading and writing fail as they do with a closed descriptor.
    static func fillGaps() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is taken, which is this one. It is open for the direction that nobody uses.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Ends this process. Commands cannot name `exit` themselves, because the parser of the command line has one of its own.
enum ProcessEnd {
    static func now(_ code: CInt) -> Never { exit(code) }
}

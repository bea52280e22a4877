#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum StandardError {
    /// Writes `text` in one piece, so that lines of several threads do not mix. Text that cannot be written is dropped,
    /// because a log must not stop the bridge.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let base = rest.baseAddress, !rest.isEmpty {
                let count = systemWrite(base, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }

    private static func systemWrite(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(STDERR_FILENO, base, count)
        #elseif canImport(Musl)
            Musl.write(STDERR_FILENO, base, count)
        #else
            Darwin.write(STDERR_FILENO, base, count)
        #endif
    }
}

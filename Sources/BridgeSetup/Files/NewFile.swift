#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes files that were not there before.
enum NewFile {
    static let secretMode: mode_t = 0o600

    /// Writes a file that nobody could have opened with another mode, and that replaces nothing.
    ///
    /// - Throws: What is in the way, or what else went wrong. No part of the file is left then.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(SetupProblem) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw problem(path, errno) }
        // The umask has taken bits away, and may have taken too many.
        var code = fchmod(descriptor, mode) == 0 ? 0 : errno
        if code == 0 { code = write(bytes, to: descriptor) }
        if code == 0, fsync(descriptor) != 0 { code = errno }
        if close(descriptor) != 0, code == 0 { code = errno }
        guard code != 0 else { return }
        unlink(path)
        throw problem(path, code)
    }

    /// Returns an error number, or 0.
    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> CInt {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? errno : EIO }
            rest = rest.dropFirst(count)
        }
        return 0
    }

    private static func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes, count)
        #endif
    }

    static func problem(_ path: String, _ code: CInt) -> SetupProblem {
        guard code != EEXIST else { return isInTheWay(path) }
        return SetupProblem("\(path): cannot be written: \(String(cString: strerror(code)))")
    }

    static func isInTheWay(_ path: String) -> SetupProblem {
        SetupProblem("\(path) is in the way: nothing is ever overwritten; move it away")
    }

    /// Makes a folder for secrets, if there is none.
    ///
    /// - Returns: Whether it was made.
    static func makeFolder(_ path: String) throws(SetupProblem) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw problem(path, errno) }
        return false
    }

    static func remove(_ path: String) { unlink(path) }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

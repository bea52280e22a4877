import FileReading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads a whole file, or says in words for the operator why it cannot be read.
package enum FileText {
    package struct Problem: Error, Equatable {
        /// For example `no such file`; does not include the path.
        package var message: String
        var isMissing = false
        var isFolder = false
    }

    package struct Content {
        package var bytes: [UInt8]
        /// See ``FileMode/isReadableByOthers(_:user:group:)``.
        package var isReadableByOthers: Bool
    }

    /// In bytes; enough for ten thousand devices with a line each.
    static let maximumSize = 1_048_576

    static func read(_ path: String, maximumSize: Int = maximumSize) throws(Problem) -> Content {
        try read(path, maximumSize: maximumSize, flags: 0, mustBeRegular: false)
    }

    /// Refuses everything but regular files, and waits for no other program.
    ///
    /// - Parameters:
    ///   - maximumSize: In bytes; a larger file is refused.
    ///   - followsLinks: Whether the path may be a symbolic link.
    package static func readRegular(
        _ path: String, maximumSize: Int, followsLinks: Bool = false
    ) throws(Problem) -> Content {
        let flags = followsLinks ? O_NONBLOCK : O_NONBLOCK | O_NOFOLLOW
        return try read(path, maximumSize: maximumSize, flags: flags, mustBeRegular: true)
    }

    private static func read(
        _ path: String, maximumSize: Int, flags: CInt, mustBeRegular: Bool
    ) throws(Problem) -> Content {
        let descriptor: CInt
        do throws(BoundedFile.Problem) {
            descriptor = try BoundedFile.openToRead(path, flags: flags)
        } catch {
            throw problem(error.code)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw problem(errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw Problem(message: "is a folder, not a file", isFolder: true)
        }
        let isRegular = status.st_mode & S_IFMT == S_IFREG
        guard isRegular || !mustBeRegular else { throw Problem(message: "is not a regular file") }
        let bytes = try readAll(descriptor, maximumSize: maximumSize)
        return Content(bytes: bytes, isReadableByOthers: isRegular && FileMode.isReadableByOthers(status))
    }

    /// Reads a file that has to be UTF-8, and removes a byte order mark.
    static func readText(_ path: String) throws(Problem) -> (text: String, isReadableByOthers: Bool) {
        let content = try read(path)
        guard var text = String(validating: content.bytes, as: UTF8.self) else {
            throw Problem(message: "is not UTF-8 text")
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        return (text, content.isReadableByOthers)
    }

    private static func readAll(_ descriptor: CInt, maximumSize: Int) throws(Problem) -> [UInt8] {
        let bytes: [UInt8]
        do throws(BoundedFile.Problem) {
            // The additional byte shows whether the file is too long.
            bytes = try BoundedFile.read(descriptor, upTo: maximumSize + 1)
        } catch {
            throw problem(error.code)
        }
        guard bytes.count <= maximumSize else {
            throw Problem(message: "is larger than \(SizeValue.render(maximumSize))")
        }
        return bytes
    }

    static func problem(_ code: CInt) -> Problem {
        switch code {
        case ENOENT, ENOTDIR: Problem(message: "no such file", isMissing: true)
        case EACCES, EPERM: Problem(message: "this user may not read it; check owner and mode")
        case ESPIPE: Problem(message: "is a pipe, not a file")
        default: Problem(message: "cannot be read: \(String(cString: strerror(code)))")
        }
    }
}

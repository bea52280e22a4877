#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads files, but never more of one than the caller can use.
package enum BoundedFile {
    /// Why a file cannot be read.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        /// Of `errno`.
        package let code: CInt

        package var description: String { code == ESPIPE ? "is a pipe, not a file" : String(cString: strerror(code)) }
    }

    /// The first `limit` bytes of a file, or all of it if it is shorter. It is read to its end, because those in `/proc`
    /// do not say how long they are.
    package static func read(_ path: String, upTo limit: Int) throws(Problem) -> [UInt8] {
        let descriptor = try openToRead(path)
        defer { close(descriptor) }
        return try read(descriptor, upTo: limit)
    }

    /// Opens a file, and no named pipe: nobody may ever write to that. A pipe that this process has open already, such as
    /// `/dev/stdin`, is as good as a file.
    package static func openToRead(_ path: String, flags: CInt = 0) throws(Problem) -> CInt {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO { throw Problem(code: ESPIPE) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | flags)
        guard descriptor >= 0 else { throw Problem(code: errno) }
        return descriptor
    }

    /// The same for a file that is open, from where its next byte is.
    package static func read(_ descriptor: CInt, upTo limit: Int) throws(Problem) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(limit, 65_536))
        while bytes.count < limit {
            let count = readChunk(descriptor, into: &chunk)
            if count < 0 {
                if errno == EINTR { continue }
                throw Problem(code: errno)
            }
            guard count > 0 else { break }
            bytes += chunk.prefix(min(count, limit - bytes.count))
        }
        return bytes
    }

    private static func readChunk(_ descriptor: CInt, into chunk: inout [UInt8]) -> Int {
        chunk.withUnsafeMutableBytes { buffer in
            #if canImport(Glibc)
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #elseif canImport(Musl)
                Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }
}

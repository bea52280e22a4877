import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What standard input, standard output and files do, without blocking the threads that carry the connection.
enum StandardStreams {
    enum Failure: Error, Equatable {
        /// The reader of standard output is gone.
        case closedPipe
        case system(Int32)
        /// The content has more bytes than this.
        case tooLarge(Int)

        var description: String {
            switch self {
            case .closedPipe: "the pipe is closed"
            case .system(let code): String(cString: strerror(code))
            case .tooLarge(let limit): "it has more than \(limit) bytes, the most that a message can have"
            }
        }
    }

    /// In bytes.
    private static let chunk = 65_536

    /// The next bytes; `nil` at the end.
    static func read(_ descriptor: Int32 = STDIN_FILENO) async throws -> ByteBuffer? {
        try await NIOThreadPool.singleton.runIfActive { try readNow(descriptor) }
    }

    /// Everything until the end.
    ///
    /// - Throws: ``Failure/tooLarge(_:)`` if there are more than `limit` bytes.
    static func readAll(_ descriptor: Int32 = STDIN_FILENO, limit: Int) async throws -> ByteBuffer {
        var all = ByteBuffer()
        while var bytes = try await read(descriptor) {
            guard all.readableBytes + bytes.readableBytes <= limit else { throw Failure.tooLarge(limit) }
            all.writeBuffer(&bytes)
        }
        return all
    }

    static func readFile(_ path: String, limit: Int) async throws -> ByteBuffer {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure.system(errno) }
        defer { close(descriptor) }
        return try await readAll(descriptor, limit: limit)
    }

    /// Writes all bytes to standard output.
    static func write(_ bytes: ByteBuffer) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            var bytes = bytes
            while bytes.readableBytes > 0 {
                let count = bytes.readableBytesView.withUnsafeBytes { systemWrite(STDOUT_FILENO, $0) }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw errno == EPIPE ? Failure.closedPipe : Failure.system(errno)
                }
                bytes.moveReaderIndex(forwardBy: count)
            }
        }
    }

    private static func readNow(_ descriptor: Int32) throws -> ByteBuffer? {
        var buffer = ByteBuffer()
        while true {
            var (result, code) = (0, Int32(0))
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: chunk) { space in
                result = systemRead(descriptor, UnsafeMutableRawBufferPointer(rebasing: space.prefix(chunk)))
                code = errno
                return max(0, result)
            }
            if result > 0 { return buffer }
            if result == 0 { return nil }
            guard code == EINTR else { throw Failure.system(code) }
        }
    }
}

// Inside the type, `read` and `write` name its own functions.
private func systemRead(_ descriptor: Int32, _ space: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, space.baseAddress, space.count)
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}

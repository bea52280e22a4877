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
        // A named pipe is opened when its writer comes, which may be never.
        let descriptor = try await NIOThreadPool.singleton.runIfActive {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Failure.system(errno) }
            return descriptor
        }
        defer { close(descriptor) }
        return try await readAll(descriptor, limit: limit)
    }

    /// Writes all bytes, to standard output by default.
    static func write(_ bytes: ByteBuffer, to descriptor: Int32 = STDOUT_FILENO) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            var bytes = bytes
            while bytes.readableBytes > 0 {
                let count = bytes.readableBytesView.withUnsafeBytes { systemWrite(descriptor, $0) }
                if count >= 0 {
                    bytes.moveReaderIndex(forwardBy: count)
                } else if !isWorthAnotherTry(errno, descriptor, POLLOUT) {
                    throw errno == EPIPE ? Failure.closedPipe : Failure.system(errno)
                }
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
            guard isWorthAnotherTry(code, descriptor, POLLIN) else { throw Failure.system(code) }
        }
    }

    /// Whether the call that failed with this code can succeed now. Waits for a descriptor that another process has told
    /// not to block: it shares the terminal or the pipe, and decides for everybody.
    private static func isWorthAnotherTry(_ code: Int32, _ descriptor: Int32, _ event: Int32) -> Bool {
        if code == EINTR { return true }
        guard code == EAGAIN || code == EWOULDBLOCK else { return false }
        var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        // What poll says of the descriptor, the next call says better.
        _ = poll(&entry, 1, -1)
        return true
    }
}

// Inside the type, `read` and `write` name its own functions.
private func systemRead(_ descriptor: Int32, _ space: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, space.baseAddress, space.count)
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}

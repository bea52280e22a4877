#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file for its owner only, read and replaced as a whole.
struct SecretFile: Sendable {
    enum ReadError: Error, Equatable {
        case missing
        /// Whoever reads it knows what is in it.
        case readableByOthers
        /// Not what a file of ours is: writing would destroy something, or end up elsewhere.
        case foreign(String)
        case unreadable(String)
    }

    struct WriteError: Error {
        let reason: String
    }

    let path: String

    /// - Parameter limit: Bytes; a longer file is not read.
    func read(limit: Int) throws(ReadError) -> [UInt8] {
        // Not to wait for a writer where it is a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: throw .missing
            case ELOOP: throw .foreign("is a symbolic link")
            default: throw .unreadable(Self.systemError)
            }
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(Self.systemError) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .foreign("is no file") }
        guard status.st_mode & 0o077 == 0 else { throw .readableByOthers }
        guard status.st_size <= limit else { throw .unreadable("it has more than \(limit) bytes") }
        return try readAll(descriptor, limit: limit)
    }

    private func readAll(_ descriptor: Int32, limit: Int) throws(ReadError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = chunk.withUnsafeMutableBytes { space in
                Self.retried { systemRead(descriptor, space.baseAddress, space.count) }
            }
            guard count >= 0 else { throw .unreadable(Self.systemError) }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
        }
        throw .unreadable("it has more than \(limit) bytes")
    }

    /// Replaces the file, of which nobody sees a half: not even after a crash.
    func write(_ bytes: [UInt8]) throws(WriteError) {
        // mkstemp makes it readable by its owner only.
        var name = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw WriteError(reason: Self.systemError) }
        let temporary = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            defer { close(descriptor) }
            try write(bytes, to: descriptor)
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            defer { unlink(temporary) }
            throw WriteError(reason: Self.systemError)
        }
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(WriteError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { space in
                Self.retried { systemWrite(descriptor, space.baseAddress, space.count) }
            }
            guard count > 0 else { throw WriteError(reason: Self.systemError) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw WriteError(reason: Self.systemError) }
    }

    /// A signal may come in between.
    private static func retried(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    private static var systemError: String { String(cString: strerror(errno)) }
}

// Within the type `read` and `write` are its own.
private func systemRead(_ descriptor: Int32, _ space: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, space, count)
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

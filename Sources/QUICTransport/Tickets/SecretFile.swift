#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that only its owner can access. It is read and replaced as a whole.
package struct SecretFile: Sendable {
    package enum ReadError: Error, Equatable {
        case missing
        /// Other users can read the file, so its contents are not secret.
        case readableByOthers
        /// The path is not a file that we wrote: writing would destroy something, or end up elsewhere.
        case foreign(String)
        case unreadable(String)
    }

    package struct WriteError: Error {
        package let reason: String
    }

    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// - Parameter limit: The maximum length in bytes; a longer file is not read.
    package func read(limit: Int) throws(ReadError) -> [UInt8] {
        let (descriptor, status) = try openToRead()
        defer { close(descriptor) }
        guard status.st_mode & 0o077 == 0 else { throw .readableByOthers }
        guard status.st_size <= limit else { throw .unreadable("it has more than \(limit) bytes") }
        let bytes = try readAll(descriptor, limit: limit)
        guard bytes.count <= limit else { throw .unreadable("it has more than \(limit) bytes") }
        return bytes
    }

    /// The first bytes of the file, whoever can read it.
    package func start(_ count: Int) throws(ReadError) -> [UInt8] {
        let (descriptor, _) = try openToRead()
        defer { close(descriptor) }
        return Array(try readAll(descriptor, limit: count).prefix(count))
    }

    private func openToRead() throws(ReadError) -> (descriptor: Int32, stat) {
        // O_NONBLOCK keeps open() from waiting for a writer if the path is a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: throw .missing
            case ELOOP: throw .foreign("is a symbolic link")
            default: throw .unreadable(Self.systemError)
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let why = Self.systemError
            close(descriptor)
            throw .unreadable(why)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .foreign("is not a regular file")
        }
        return (descriptor, status)
    }

    /// All bytes, or more than `limit` if there are more.
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
        return bytes
    }

    /// Replaces the file in one step, so that no reader sees it half-written, not even after a crash.
    package func write(_ bytes: [UInt8]) throws(WriteError) {
        let temporary = try writeBeside(bytes)
        guard rename(temporary, path) == 0 else {
            defer { unlink(temporary) }
            throw WriteError(reason: Self.systemError)
        }
    }

    /// Writes a new file in the same folder, which only its owner can read, and returns its path. The caller moves or
    /// links it to its place, or removes it.
    package func writeBeside(_ bytes: [UInt8]) throws(WriteError) -> String {
        // mkstemp lets only the owner read the file.
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
        return temporary
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

    /// Repeats the call for as long as a signal interrupts it.
    private static func retried(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    private static var systemError: String { String(cString: strerror(errno)) }
}

// Inside the type, `read` and `write` name its own methods.
private func systemRead(_ descriptor: Int32, _ space: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, space, count)
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

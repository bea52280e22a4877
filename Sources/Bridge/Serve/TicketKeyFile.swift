import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The file that keeps the ticket key over restarts: 64 random bytes, readable by their owner only.
struct TicketKeyFile {
    /// An older file is replaced by one with a new key at the next start or SIGHUP. Tickets of before are void then.
    static let maximumAge = 30 * 86_400

    let path: String

    struct Contents {
        var key: QUICTicketKey
        /// What the operator should know; the key is usable all the same.
        var warning: String?
    }

    /// Reads the key; makes the file where there is none, or where it is too old.
    /// - Parameter now: seconds since 1970.
    func load(now: Int = time(nil)) throws(TicketKeyError) -> Contents {
        guard let stamp = FileStamp(path: path) else { return Contents(key: try create()) }
        let key = try readKey()
        guard now - stamp.modified > Self.maximumAge else { return Contents(key: key) }
        do {
            return Contents(key: try replace())
        } catch {
            return Contents(
                key: key, warning: "\(path) is older than 30 days and could not be replaced: \(error.reason)")
        }
    }

    /// Throws what is wrong with a file that is there, and changes nothing.
    func check() throws(TicketKeyError) {
        if FileStamp(path: path) != nil { _ = try readKey() }
    }

    private func readKey() throws(TicketKeyError) -> QUICTicketKey {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be opened") }
        defer { close(descriptor) }
        // One byte more shows that there are too many.
        var bytes = [UInt8](repeating: 0, count: QUICTicketKey.length + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { space in
                let rest = UnsafeMutableRawBufferPointer(rebasing: space[count...])
                return read(descriptor, rest.baseAddress, rest.count)
            }
            guard more >= 0 else { throw failure("cannot be read") }
            if more == 0 { break }
            count += more
        }
        guard let key = QUICTicketKey(bytes: Array(bytes.prefix(count))) else {
            throw TicketKeyError(
                path: path,
                reason: "is no ticket key, which has \(QUICTicketKey.length) bytes: delete it, and a new one is made")
        }
        return key
    }

    /// Of two programs that make it at once, one wins, and both use its key.
    private func create() throws(TicketKeyError) -> QUICTicketKey {
        let (key, temporary) = try writeNew()
        defer { unlink(temporary) }
        if link(temporary, path) == 0 { return key }
        guard errno == EEXIST else { throw failure("cannot be made") }
        return try readKey()
    }

    private func replace() throws(TicketKeyError) -> QUICTicketKey {
        let (key, temporary) = try writeNew()
        guard rename(temporary, path) == 0 else {
            defer { unlink(temporary) }
            throw failure("cannot be replaced")
        }
        return key
    }

    /// A new key in a file beside, which nobody sees half-written.
    private func writeNew() throws(TicketKeyError) -> (key: QUICTicketKey, temporary: String) {
        // mkstemp makes it readable by its owner only.
        var name = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw failure("cannot be made") }
        defer { close(descriptor) }
        let temporary = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let key = QUICTicketKey()
        guard write(descriptor, key.bytes, key.bytes.count) == key.bytes.count, fsync(descriptor) == 0 else {
            defer { unlink(temporary) }
            throw failure("cannot be written")
        }
        return (key, temporary)
    }

    private func failure(_ what: String) -> TicketKeyError {
        TicketKeyError(path: path, reason: "\(what): \(String(cString: strerror(errno)))")
    }
}

/// A ticket key file that cannot be used.
package struct TicketKeyError: Error, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path) \(reason)" }
}

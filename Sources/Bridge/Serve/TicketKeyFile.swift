import FileReading
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The file that keeps the ticket key across restarts: 64 random bytes that only the owner can read.
struct TicketKeyFile {
    /// The age in seconds from which the file is replaced by one with a new key, at the next start or SIGHUP. Tickets
    /// issued under the old key are worthless then.
    static let maximumAge = 30 * 86_400

    let path: String

    struct Contents {
        var key: QUICTicketKey
        /// What the operator should know although the key is usable.
        var warning: String?
    }

    /// Reads the key. Creates the file if it does not exist, and replaces it if it is too old.
    /// - Parameter now: Seconds since 1970.
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

    /// Throws what is wrong with the file if it exists, and changes nothing.
    func check() throws(TicketKeyError) {
        if FileStamp(path: path) != nil { _ = try readKey() }
    }

    private func readKey() throws(TicketKeyError) -> QUICTicketKey {
        let bytes: [UInt8]
        do {
            // The additional byte shows whether the file is too long.
            bytes = try BoundedFile.read(path, upTo: QUICTicketKey.length + 1)
        } catch {
            throw TicketKeyError(path: path, reason: "cannot be read: \(error)")
        }
        guard let key = QUICTicketKey(bytes: bytes) else {
            throw TicketKeyError(
                path: path,
                reason: "is not a ticket key of \(QUICTicketKey.length) bytes: delete it, and a new one is created")
        }
        return key
    }

    /// If two programs create the file at the same time, one wins and both use its key.
    private func create() throws(TicketKeyError) -> QUICTicketKey {
        let (key, temporary) = try writeNew()
        defer { unlink(temporary) }
        if link(temporary, path) == 0 { return key }
        guard errno == EEXIST else { throw failure("cannot be created") }
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

    /// Writes a new key to a temporary file beside this one, so that no reader sees it half-written.
    private func writeNew() throws(TicketKeyError) -> (key: QUICTicketKey, temporary: String) {
        let key = QUICTicketKey()
        do {
            return (key, try SecretFile(path: path).writeBeside(key.bytes))
        } catch {
            throw TicketKeyError(path: path, reason: "cannot be created: \(error.reason)")
        }
    }

    private func failure(_ what: String) -> TicketKeyError {
        TicketKeyError(path: path, reason: "\(what): \(String(cString: strerror(errno)))")
    }
}

/// A ticket key file that cannot be used.
package struct TicketKeyError: Error, CustomStringConvertible {
    package let path: String
    /// What is wrong with the file, as a phrase that continues its path.
    package let reason: String

    package var description: String { "\(path) \(reason)" }
}

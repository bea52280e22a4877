/// The contents of a file of session tickets, each under a key that identifies what it can be used for.
///
///     "mqtt-quic-bridge tickets 1\n" | for each: key (32) | length (4, big-endian) | ``QUICResumption/encoded``
///
/// Each ticket carries a digest of its own; damaged ones are left out.
package struct TicketFile: Sendable {
    package struct Entry: Sendable, Equatable {
        package var key: [UInt8]
        package var ticket: QUICResumption

        package init(key: [UInt8], ticket: QUICResumption) {
            self.key = key
            self.ticket = ticket
        }
    }

    package struct Contents: Sendable, Equatable {
        package var entries: [Entry] = []
        /// The ticket is damaged, or was made by other versions of the libraries.
        package var unusable = 0
        /// The file ends in the middle of something, or is not a ticket file.
        package var isDamaged = false
    }

    /// The largest size of the file, in bytes: room for hundreds of tickets.
    static let limit = 1_024 * 1_024

    /// How files of all versions begin.
    private static let mark = Array("mqtt-quic-bridge tickets ".utf8)
    private static let header = mark + Array("1\n".utf8)

    let file: SecretFile

    init(path: String) {
        file = SecretFile(path: path)
    }

    func read() throws(SecretFile.ReadError) -> Contents {
        try checkIsOurs()
        return Self.decode(try file.read(limit: Self.limit))
    }

    /// Throws if there is a file at the path that has something else in it than tickets.
    package static func check(_ path: String) throws(QUICError) {
        do throws(SecretFile.ReadError) {
            try TicketFile(path: path).checkIsOurs()
        } catch {
            guard case .foreign(let what) = error else { return }
            throw .fileUnreadable(path: path, why: "\(what): name a file of its own, or one to be made")
        }
    }

    /// Throws if the file has something else in it, which would be lost with the first ticket.
    private func checkIsOurs() throws(SecretFile.ReadError) {
        let start = try file.start(Self.mark.count)
        guard Self.mark.starts(with: start) else { throw .foreign("is not a file of session tickets") }
    }

    func write(_ entries: [Entry]) throws(SecretFile.WriteError) {
        try file.write(Self.encode(entries))
    }

    /// The file with these tickets, as far as ``limit`` allows; a key of another length than 32 bytes is left out.
    package static func encode(_ entries: [Entry]) -> [UInt8] {
        var bytes = header
        for entry in entries {
            let ticket = entry.ticket.encoded
            let size = bytes.count + entry.key.count + 4 + ticket.count
            guard entry.key.count == SHA256.length, size <= limit else { continue }
            bytes += entry.key
            bytes += withUnsafeBytes(of: UInt32(ticket.count).bigEndian) { Array($0) }
            bytes += ticket
        }
        return bytes
    }

    /// All sound tickets, also those before the place where the file is damaged.
    package static func decode(_ bytes: [UInt8]) -> Contents {
        guard bytes.starts(with: header) else { return Contents(isDamaged: true) }
        var contents = Contents()
        var rest = bytes.dropFirst(header.count)
        while !rest.isEmpty {
            let key = rest.prefix(SHA256.length)
            let size = rest.dropFirst(key.count).prefix(4)
            let length = size.reduce(0) { $0 << 8 | Int($1) }
            let ticket = rest.dropFirst(key.count + size.count).prefix(length)
            guard key.count == SHA256.length, size.count == 4, ticket.count == length else {
                contents.isDamaged = true
                return contents
            }
            if let ticket = QUICResumption(encoded: ticket) {
                contents.entries.append(Entry(key: Array(key), ticket: ticket))
            } else {
                contents.unusable += 1
            }
            rest = rest.dropFirst(key.count + size.count + length)
        }
        return contents
    }
}

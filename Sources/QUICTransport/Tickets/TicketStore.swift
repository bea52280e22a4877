import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The session tickets of the process, which make handshakes shorter and early data possible. It is asked once per
/// connection, from any event loop.
///
/// With a file the tickets outlive the process. The file is read at the start, and replaced when the owner saves it.
/// Without a file, or if it cannot be used, the first handshakes are full ones and everything else stays the same.
package final class TicketStore: Sendable {
    private struct State {
        var shelf = TicketShelf()
        var hasChanged = false
    }

    private let state = Mutex(State())
    /// One thread writes at a time, so that the newest contents are written last.
    private let writing = Mutex(())
    private let servers: [TicketServer]
    private let identity: TicketIdentity
    private let file: TicketFile?
    private let logger: Logger
    /// Whether the failure to write has been logged.
    private let isFailureKnown = Atomic(false)

    /// Reads the file, if there is one.
    ///
    /// - Parameters:
    ///   - servers: The servers whose tickets are kept in the file. Others have theirs in memory only.
    ///   - path: The file; `nil` if tickets are kept in memory only.
    ///   - previous: The store that this one replaces while the program runs. It gives its tickets, as far as they are
    ///     still valid, and its file.
    package init(
        _ servers: [TicketServer], identity: TicketIdentity, file path: String?, after previous: TicketStore? = nil,
        logger: Logger
    ) {
        self.logger = logger
        self.servers = servers
        self.identity = identity
        if let previous {
            file = previous.file
            takeOver(previous)
            return
        }
        guard let path else {
            file = nil
            return
        }
        let file = TicketFile(path: path)
        do {
            let contents = try file.read()
            self.file = file
            use(contents)
        } catch {
            self.file = Self.report(error, path, logger) ? file : nil
            // A file that other users can read has to be replaced.
            state.withLock { $0.hasChanged = error == .readableByOthers }
        }
    }

    private func takeOver(_ previous: TicketStore) {
        let tickets = previous.state.withLock { $0.shelf.all }
        state.withLock { state in
            state.hasChanged = true
            for server in servers where identity.key(for: server) == previous.identity.key(for: server) {
                for ticket in (tickets[server] ?? []).reversed() { state.shelf.put(ticket, for: server) }
            }
        }
    }

    /// Takes a ticket, which no other connection gets. ``put(_:for:)`` gives back one that its server has not seen.
    package func take(for server: TicketServer) -> QUICResumption? {
        let now = Int64(time(nil))
        return state.withLock { state in
            guard let ticket = state.shelf.take(for: server, now: now) else { return nil }
            state.hasChanged = true
            return ticket
        }
    }

    package func put(_ ticket: QUICResumption, for server: TicketServer) {
        state.withLock {
            $0.shelf.put(ticket, for: server)
            $0.hasChanged = true
        }
    }
}

// MARK: - The file

extension TicketStore {
    /// Whether there is a file that ``save()`` may have to write.
    package var hasFile: Bool { file != nil }

    /// Writes the file now if something has changed.
    package func save() {
        guard let file else { return }
        writing.withLock { _ in save(to: file) }
    }

    private func save(to file: TicketFile) {
        let tickets = state.withLock { state -> [TicketServer: [QUICResumption]]? in
            guard state.hasChanged else { return nil }
            state.hasChanged = false
            return state.shelf.all
        }
        guard let tickets else { return }
        let entries = servers.flatMap { server -> [TicketFile.Entry] in
            guard let key = identity.key(for: server) else { return [] }
            return (tickets[server] ?? []).map { TicketFile.Entry(key: key, ticket: $0) }
        }
        do {
            try file.write(entries)
            isFailureKnown.store(false, ordering: .relaxed)
        } catch {
            // Writing is tried again at the next change.
            guard !isFailureKnown.exchange(true, ordering: .relaxed) else { return }
            logger.warning(
                "session tickets could not be saved: the first connections after a restart begin with full handshakes",
                metadata: ["file": "\(file.file.path)", "error": "\(error.reason)"])
        }
    }

    private func use(_ contents: TicketFile.Contents) {
        let now = Int64(time(nil))
        var foreign = 0
        var used = 0
        let known = servers.map { ($0, identity.key(for: $0)) }
        state.withLock { state in
            // The newest tickets of each server come first in the file, and are put last so that they end up on top.
            for entry in contents.entries.reversed() {
                guard let server = known.first(where: { $0.1 == entry.key })?.0 else {
                    foreign += 1
                    continue
                }
                guard !entry.ticket.isExpired(at: now) else { continue }
                state.shelf.put(entry.ticket, for: server)
                used += 1
            }
        }
        let problems = [
            contents.isDamaged ? "the file is damaged" : nil,
            contents.unusable > 0 ? "\(contents.unusable) damaged or of another version of ngtcp2 or GnuTLS" : nil,
            foreign > 0 ? "\(foreign) for another broker, CA, client certificate or ALPN" : nil,
        ].compactMap { $0 }
        guard let path = file?.file.path, !problems.isEmpty else { return }
        logger.notice(
            "the saved session tickets cannot be used: connections begin with full handshakes",
            metadata: ["file": "\(path)", "reason": "\(problems.joined(separator: ", "))", "usable": "\(used)"])
    }

    /// The last part of the result says whether to write the file nevertheless.
    private static func report(_ error: SecretFile.ReadError, _ path: String, _ logger: Logger) -> Bool {
        let why: (level: Logger.Level, reason: String, isWritten: Bool)
        switch error {
        case .missing: return true
        case .readableByOthers: why = (.warning, "other users can read it (chmod 600); it is replaced", true)
        case .foreign(let what): why = (.error, "it \(what): name a file of its own, or one to be made", false)
        case .unreadable(let what): why = (.warning, what, true)
        }
        logger.log(
            level: why.level, "the file of session tickets is not used: connections begin with full handshakes",
            metadata: ["file": "\(path)", "reason": "\(why.reason)"])
        return why.isWritten
    }
}

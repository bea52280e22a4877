import BridgeCore
import Logging
import QUICTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The session tickets of the process, which make handshakes shorter and early data possible. It is asked once per
/// connection, from any event loop.
///
/// With a file the tickets outlive the process. The file is read at the start, and replaced some seconds after a change
/// and at the end. Without a file, or if it cannot be used, the first handshakes are full ones and everything else
/// stays the same.
final class TicketStore: Sendable {
    private struct State {
        var shelf = TicketShelf()
        var hasChanged = false
    }

    /// The time between two checks whether the file has to be written.
    private static let pause = Duration.seconds(5)

    private let state = Mutex(State())
    /// One thread writes at a time, so that the newest contents are written last.
    private let writing = Mutex(())
    private let endpoints: [UplinkEndpoint]
    private let identity: TicketIdentity
    private let file: TicketFile?
    private let logger: Logger
    /// Whether the failure to write has been logged.
    private let isFailureKnown = Atomic(false)

    /// Reads the file, if there is one.
    ///
    /// - Parameter previous: The store that this one replaces while the program runs. It gives its tickets, as far as
    ///   they are still valid, and its file.
    init(_ uplink: UplinkConfiguration, trust: [UInt8], after previous: TicketStore? = nil, logger: Logger) {
        var logger = logger
        logger[metadataKey: "leg"] = "uplink"
        self.logger = logger
        endpoints = uplink.endpoints
        let certificates = [uplink.clientCertificateFile, uplink.clientKeyFile].compactMap { $0 }
        identity = TicketIdentity(
            trust: trust, client: certificates.flatMap { Array($0.utf8) + Self.contents($0) },
            alpn: uplink.alpn ?? uplink.mapping.alpn)
        if let previous {
            file = previous.file
            takeOver(previous)
            return
        }
        guard let path = uplink.ticketFile else {
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
            for endpoint in endpoints where identity.key(for: endpoint) == previous.identity.key(for: endpoint) {
                for ticket in (tickets[endpoint] ?? []).reversed() { state.shelf.put(ticket, for: endpoint) }
            }
        }
    }

    /// Takes a ticket, which no other connection gets. ``put(_:for:)`` gives back one that its server has not seen.
    func take(for endpoint: UplinkEndpoint) -> QUICResumption? {
        let now = Int64(time(nil))
        return state.withLock { state in
            guard let ticket = state.shelf.take(for: endpoint, now: now) else { return nil }
            state.hasChanged = true
            return ticket
        }
    }

    func put(_ ticket: QUICResumption, for endpoint: UplinkEndpoint) {
        state.withLock {
            $0.shelf.put(ticket, for: endpoint)
            $0.hasChanged = true
        }
    }
}

// MARK: - The file

extension TicketStore {
    /// Writes the file of the store in use when something has changed, until it is cancelled.
    static func keepSaved(_ present: @escaping @Sendable () -> TicketStore) async {
        guard present().file != nil else { return }
        while (try? await Task.sleep(for: pause)) != nil {
            _ = await FileThread.run { present().save() }
        }
    }

    /// Writes the file now if something has changed.
    func save() {
        guard let file else { return }
        writing.withLock { _ in save(to: file) }
    }

    private func save(to file: TicketFile) {
        let tickets = state.withLock { state -> [UplinkEndpoint: [QUICResumption]]? in
            guard state.hasChanged else { return nil }
            state.hasChanged = false
            return state.shelf.all
        }
        guard let tickets else { return }
        let entries = endpoints.flatMap { endpoint -> [TicketFile.Entry] in
            guard let key = identity.key(for: endpoint) else { return [] }
            return (tickets[endpoint] ?? []).map { TicketFile.Entry(key: key, ticket: $0) }
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
        let known = endpoints.map { ($0, identity.key(for: $0)) }
        state.withLock { state in
            // The newest tickets of each endpoint come first in the file, and are put last so that they end up on top.
            for entry in contents.entries.reversed() {
                guard let endpoint = known.first(where: { $0.1 == entry.key })?.0 else {
                    foreign += 1
                    continue
                }
                guard !entry.ticket.isExpired(at: now) else { continue }
                state.shelf.put(entry.ticket, for: endpoint)
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

    /// The contents of a file; empty if it cannot be read, which loading the certificate has reported.
    private static func contents(_ path: String) -> [UInt8] {
        guard let descriptor = fopen(path, "re") else { return [] }
        defer { fclose(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1_048_576)
        let count = fread(&bytes, 1, bytes.count, descriptor)
        return Array(bytes.prefix(count))
    }
}

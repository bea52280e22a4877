import Logging
import QUICTransport
import TLSTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is read from files before a link can be made: certificates, keys and tickets.
final class LinkSecurity: Sendable {
    private let credentials: LinkCredentials
    /// `nil` if tickets are not kept.
    let tickets: TicketStore?

    /// Reads the files, so call it on a thread that may wait.
    ///
    /// - Parameter previous: What was read before. Tickets that are still valid are taken over.
    /// - Throws: `QUICError.fileUnreadable`, which names the file and what is wrong with it.
    init(_ settings: LinkSettings, after previous: LinkSecurity? = nil, logger: Logger) throws {
        let configuration = settings.configuration
        let certificate = configuration.tls.clientCertificate
        credentials = try LinkCredentials.load(settings)
        guard configuration.tickets != .off else {
            tickets = nil
            return
        }
        let path: String? = if case .file(let path) = configuration.tickets { path } else { nil }
        let files = [certificate?.chainFile, certificate?.keyFile].compactMap { $0 }
        let identity = TicketIdentity(
            trust: credentials.quic.trust, client: files.flatMap { Array($0.utf8) + Self.contents($0) },
            alpn: [configuration.alpn])
        tickets = TicketStore(
            [settings.ticketServer], identity: identity, file: path, after: previous?.tickets, logger: logger)
    }

    var quic: QUICTLSContext { credentials.quic }

    /// `nil` if there is no fallback.
    var tls: TLSClientContext? { credentials.tls }

    /// The contents of a file; empty if it cannot be read, which loading the certificate has reported.
    private static func contents(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1_048_576)
        return Array(bytes.prefix(fread(&bytes, 1, bytes.count, file)))
    }
}

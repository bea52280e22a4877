import Logging
import QUICTransport
import TLSTransport

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
        // A file that cannot be read is an error of the credentials above.
        let files = [certificate?.chainFile, certificate?.keyFile].compactMap { $0 }
        let client = files.flatMap { Array($0.utf8) + (TLSClientContext.contents($0) ?? []) }
        let identity = TicketIdentity(
            trust: credentials.quic.trust, client: client, alpn: [configuration.alpn])
        tickets = TicketStore(
            [settings.ticketServer], identity: identity, file: path, after: previous?.tickets, logger: logger)
    }

    var quic: QUICTLSContext { credentials.quic }

    /// `nil` if there is no fallback.
    var tls: TLSClientContext? { credentials.tls }
}

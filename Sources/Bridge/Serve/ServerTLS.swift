import BridgeCore
import Logging
import QUICTransport
import Synchronization

/// The certificate, key, client CA and ticket key of `serve`. Their files may change while it runs.
final class ServerTLS: Sendable {
    /// The label under which ``secret(of:)`` is derived from the ticket key, with the address behind it.
    private static let secretLabel = "mqtt-quic-bridge serve: stateless resets and Retry tokens, 2"

    private struct State {
        var configuration: ServeConfiguration
        var context: QUICTLSContext
        var ticketKey: QUICTicketKey
        /// The stamps of the files when they were last read, whether they were usable or not.
        var stamps: [FileStamp?]
    }

    private let state: Mutex<State>
    /// Remembers early data across all changes of the configuration.
    private let antiReplay = QUICAntiReplay()
    /// The secrets are derived from this key for as long as the program runs.
    private let firstTicketKey: QUICTicketKey

    /// Throws what is wrong with the files.
    init(configuration: ServeConfiguration, logger: Logger) throws {
        let ticketKey = try Self.loadTicketKey(configuration, logger) ?? QUICTicketKey()
        firstTicketKey = ticketKey
        let stamps = Self.paths(configuration).map { FileStamp(path: $0) }
        let context = try Self.loadCertificates(configuration, ticketKey, antiReplay)
        state = Mutex(
            State(configuration: configuration, context: context, ticketKey: ticketKey, stamps: stamps))
    }

    /// The secret of an address for stateless resets and Retry tokens. It is the same on all event loops and for as long
    /// as the program runs, because open connections have tokens made from it. It survives a restart if the ticket key
    /// does. Two addresses do not share one: a datagram to the other address with the connection ID of a client here
    /// would be answered with the token that ends its connection (RFC 9000 21.11).
    func secret(of address: ListenAddress) -> [UInt8] {
        let place = ListenAddress(host: address.host, port: address.port).name
        return firstTicketKey.secret(for: "\(Self.secretLabel), \(place)")
    }

    /// Throws what is wrong with the certificate, key, client CA or ticket key. Creates no files.
    static func check(_ configuration: ServeConfiguration) throws {
        _ = try loadCertificates(configuration, QUICTicketKey(), nil)
        if let path = configuration.ticketKeyFile { try TicketKeyFile(path: path).check() }
    }

    /// What should be changed about the files although they work.
    var warnings: [String] { CredentialFiles(configuration).warnings }

    /// Watches the certificate, key and client CA.
    var watch: FileWatch { FileWatch { Self.paths(self.configuration) } }

    private var configuration: ServeConfiguration { state.withLock { $0.configuration } }

    var current: QUICTLSContext { state.withLock { $0.context } }

    /// Reads the files again. Throws what is wrong with them, and then the previous ones stay in use.
    func reload(_ logger: Logger) throws -> QUICTLSContext {
        try adopt(configuration, withTicketKey: false, logger: logger)
    }

    /// Reads the files that this configuration names. Throws what is wrong with them, and then the previous ones stay in
    /// use.
    func adopt(_ configuration: ServeConfiguration, withTicketKey: Bool = true, logger: Logger) throws -> QUICTLSContext
    {
        let stamps = Self.paths(configuration).map { FileStamp(path: $0) }
        var ticketKey = state.withLock { state in
            state.stamps = stamps
            return state.ticketKey
        }
        let context = try CredentialFiles(configuration).explaining {
            if withTicketKey { ticketKey = try Self.loadTicketKey(configuration, logger) ?? ticketKey }
            return try Self.loadCertificates(configuration, ticketKey, antiReplay)
        }
        let loaded = State(
            configuration: configuration, context: context, ticketKey: ticketKey, stamps: stamps)
        state.withLock { $0 = loaded }
        return context
    }

    /// Whether the files have changed since they were last read.
    var hasChanged: Bool {
        Self.paths(configuration).map { FileStamp(path: $0) } != state.withLock { $0.stamps }
    }

    private static func paths(_ configuration: ServeConfiguration) -> [String] {
        [configuration.certificateFile, configuration.keyFile] + [configuration.clientCAFile].compactMap { $0 }
    }

    private static func loadCertificates(
        _ configuration: ServeConfiguration, _ ticketKey: QUICTicketKey, _ antiReplay: QUICAntiReplay?
    ) throws(QUICError) -> QUICTLSContext {
        let antiReplay = configuration.acceptsEarlyData ? antiReplay : nil
        let clientCA = configuration.clientCAFile.flatMap {
            CredentialFiles.contents($0, upTo: PasswordFile.maximumSize)
        }
        return try QUICTLSContext.server(
            certificateFile: configuration.certificateFile, keyFile: configuration.keyFile,
            clientCAFile: configuration.clientCAFile, ticketKey: ticketKey.bound(to: clientCA), antiReplay: antiReplay)
    }

    private static func loadTicketKey(
        _ configuration: ServeConfiguration, _ logger: Logger
    ) throws(TicketKeyError) -> QUICTicketKey? {
        guard let path = configuration.ticketKeyFile else { return nil }
        let contents = try TicketKeyFile(path: path).load()
        if let warning = contents.warning {
            logger.warning(
                "the ticket key could not be replaced; the old one stays in use",
                metadata: ["error": "\(warning)", "leg": "client"])
        }
        return contents.key
    }
}

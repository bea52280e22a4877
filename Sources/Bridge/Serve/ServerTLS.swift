import BridgeCore
import Logging
import QUICTransport
import Synchronization

/// Certificate, key, client CA and ticket key of `serve`, which may change while it runs.
final class ServerTLS: Sendable {
    /// What ``secret`` is derived under, beside the ticket key.
    private static let secretLabel = "mqtt-quic-bridge serve: stateless resets and Retry tokens, 1"

    private struct State {
        var context: QUICTLSContext
        var ticketKey: QUICTicketKey
        /// Of the files as they were when they were last read, usable or not.
        var stamps: [FileStamp?]
    }

    private let configuration: ServeConfiguration
    private let state: Mutex<State>
    /// Of certificate, key and client CA.
    let watch: FileWatch
    /// Remembers early data over all changes of certificates. Nil: there is none.
    private let antiReplay: QUICAntiReplay?
    /// Of stateless resets and Retry tokens; the same for all event loops, and for as long as the program runs: live
    /// connections have tokens made of it. The same after a restart where the ticket key is.
    let secret: [UInt8]

    /// Throws what is wrong with the files.
    init(configuration: ServeConfiguration, logger: Logger) throws {
        self.configuration = configuration
        watch = FileWatch(Self.paths(configuration))
        antiReplay = configuration.acceptsEarlyData ? QUICAntiReplay() : nil
        let ticketKey = try Self.loadTicketKey(configuration, logger) ?? QUICTicketKey()
        secret = ticketKey.secret(for: Self.secretLabel)
        let stamps = Self.paths(configuration).map { FileStamp(path: $0) }
        let context = try Self.loadCertificates(configuration, ticketKey, antiReplay)
        state = Mutex(State(context: context, ticketKey: ticketKey, stamps: stamps))
    }

    /// Throws what is wrong with certificate, key, client CA and ticket key. Makes no files.
    static func check(_ configuration: ServeConfiguration) throws {
        _ = try loadCertificates(configuration, QUICTicketKey(), nil)
        if let path = configuration.ticketKeyFile { try TicketKeyFile(path: path).check() }
    }

    /// What is not right with the files although they work.
    var warnings: [String] { CredentialFiles(configuration).warnings }

    var current: QUICTLSContext { state.withLock { $0.context } }

    /// Throws what is wrong with the files; the ones of before stay in use then.
    func reload(withTicketKey: Bool, logger: Logger) throws -> QUICTLSContext {
        let stamps = Self.paths(configuration).map { FileStamp(path: $0) }
        var ticketKey = state.withLock { state in
            state.stamps = stamps
            return state.ticketKey
        }
        let context = try CredentialFiles(configuration).explaining {
            if withTicketKey { ticketKey = try Self.loadTicketKey(configuration, logger) ?? ticketKey }
            return try Self.loadCertificates(configuration, ticketKey, antiReplay)
        }
        let loaded = State(context: context, ticketKey: ticketKey, stamps: stamps)
        state.withLock { $0 = loaded }
        return context
    }

    /// Whether they are others than those that were last read.
    var hasChanged: Bool {
        Self.paths(configuration).map { FileStamp(path: $0) } != state.withLock { $0.stamps }
    }

    private static func paths(_ configuration: ServeConfiguration) -> [String] {
        [configuration.certificateFile, configuration.keyFile] + [configuration.clientCAFile].compactMap { $0 }
    }

    private static func loadCertificates(
        _ configuration: ServeConfiguration, _ ticketKey: QUICTicketKey, _ antiReplay: QUICAntiReplay?
    ) throws(QUICError) -> QUICTLSContext {
        try QUICTLSContext.server(
            certificateFile: configuration.certificateFile, keyFile: configuration.keyFile,
            clientCAFile: configuration.clientCAFile, ticketKey: ticketKey, antiReplay: antiReplay)
    }

    private static func loadTicketKey(
        _ configuration: ServeConfiguration, _ logger: Logger
    ) throws(TicketKeyError) -> QUICTicketKey? {
        guard let path = configuration.ticketKeyFile else { return nil }
        let contents = try TicketKeyFile(path: path).load()
        if let warning = contents.warning {
            logger.warning("the ticket key was not replaced", metadata: ["error": "\(warning)", "leg": "client"])
        }
        return contents.key
    }
}

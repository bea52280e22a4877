import BridgeCore
import Logging
import QUICTransport

// The tickets of the uplink's endpoints.
extension TicketStore {
    /// The time between two checks whether the file has to be written.
    private static let pause = Duration.seconds(5)

    /// Reads `uplink.ticket_file`, if there is one.
    ///
    /// - Parameters:
    ///   - trust: A digest of the authorities.
    ///   - previous: The store that this one replaces while the program runs.
    convenience init(_ uplink: UplinkConfiguration, trust: [UInt8], after previous: TicketStore? = nil, logger: Logger)
    {
        var logger = logger
        logger[metadataKey: "leg"] = "uplink"
        let certificates = [uplink.clientCertificateFile, uplink.clientKeyFile].compactMap { $0 }
        let identity = TicketIdentity(
            trust: trust, client: certificates.flatMap { Array($0.utf8) + (CredentialFiles.contents($0) ?? []) },
            alpn: uplink.alpn ?? uplink.mapping.alpn)
        self.init(
            uplink.endpoints.map(\.ticketServer), identity: identity, file: uplink.ticketFile, after: previous,
            logger: logger)
    }

    func take(for endpoint: UplinkEndpoint) -> QUICResumption? { take(for: endpoint.ticketServer) }

    func put(_ ticket: QUICResumption, for endpoint: UplinkEndpoint) { put(ticket, for: endpoint.ticketServer) }

    /// Writes the file of the store in use when something has changed, until it is cancelled.
    static func keepSaved(_ present: @escaping @Sendable () -> TicketStore) async {
        guard present().hasFile else { return }
        while (try? await Task.sleep(for: pause)) != nil {
            _ = await FileThread.run { present().save() }
        }
    }
}

extension UplinkEndpoint {
    /// The endpoint as an issuer of tickets.
    var ticketServer: TicketServer { TicketServer(host: host, port: port, name: serverName ?? host) }
}

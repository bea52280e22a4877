import BridgeCore
import QUICTransport

/// What a ticket is good for, apart from the endpoint: with other authorities, another client certificate or other
/// protocols on offer a handshake has to be a new one.
struct TicketIdentity: Sendable {
    private let trust: [UInt8]
    private let client: [UInt8]
    private let alpn: [String]

    /// - Parameters:
    ///   - trust: A digest of the authorities.
    ///   - client: The client's certificate chain and key in PEM, as far as there are any.
    init(trust: [UInt8], client: [UInt8], alpn: [String]) {
        self.trust = trust
        self.client = client
        self.alpn = alpn
    }

    /// Names endpoint and identity without telling them. Nil where no digest is to be had.
    func key(for endpoint: UplinkEndpoint) -> [UInt8]? {
        let fields =
            [endpoint.host, "\(endpoint.port)", endpoint.serverName ?? endpoint.host].map { Array($0.utf8) }
            + [trust, client] + alpn.map { Array($0.utf8) }
        // Each with its length: no two lists give the same bytes.
        return SHA256.digest(of: fields.flatMap { Array("\($0.count):".utf8) + $0 })
    }
}

/// What a ticket is valid for, apart from its server. With other authorities, another client certificate or other
/// offered protocols, a full handshake is needed.
package struct TicketIdentity: Sendable {
    private let trust: [UInt8]
    private let client: [UInt8]
    private let alpn: [String]

    /// - Parameters:
    ///   - trust: A digest of the authorities.
    ///   - client: The client's certificate chain and key in PEM, if there are any.
    package init(trust: [UInt8], client: [UInt8], alpn: [String]) {
        self.trust = trust
        self.client = client
        self.alpn = alpn
    }

    /// A digest that identifies the server and the identity without revealing them; `nil` if no digest can be
    /// computed.
    func key(for server: TicketServer) -> [UInt8]? {
        let fields =
            [server.host, "\(server.port)", server.name].map { Array($0.utf8) }
            + [trust, client] + alpn.map { Array($0.utf8) }
        // Each part is preceded by its length, so that no two lists give the same bytes.
        return SHA256.digest(of: fields.flatMap { Array("\($0.count):".utf8) + $0 })
    }
}

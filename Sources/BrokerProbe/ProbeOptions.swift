import QUICTransport

/// What to examine, and how far to go.
package struct ProbeOptions: Sendable {
    /// A host name or an IP address.
    package var host: String
    /// The UDP port.
    package var port: Int
    /// The name that the broker's certificate must have; `nil` stands for `host`.
    package var serverName: String?
    /// The path of a PEM file with the trusted CA certificates.
    package var caFile: String
    /// The path of a PEM file with a client certificate (chain). It needs `clientKeyFile`.
    package var clientCertificateFile: String?
    /// The path of a PEM file with the private key of the client certificate.
    package var clientKeyFile: String?
    /// The protocol names to offer, with the preferred one first.
    package var alpn = ["mqtt-mux", "mqtt"]
    /// The only family of addresses to use; `nil` stands for both.
    package var addressFamily: QUICAddressFamily?
    /// Who connects to the broker.
    package var identity = Identity()
    /// How long each step may take: each address's handshake, the answer to each packet, and so on.
    package var timeout: Duration = .seconds(5)
    /// How many connections to make at once; 0 for none.
    package var connections = 32
    /// The TCP port to try with TLS; `nil` if it is not tried.
    package var fallbackPort: Int?
    /// Whether the operator named the fallback port, so that it is a failure if it does not work.
    package var isFallbackRequired = false
    /// Whether to make one connection, and only ask on it what any client would.
    package var isGentle = false

    /// The most connections that may be made at once.
    package static let maximumConnections = 256

    package init(host: String, port: Int = 14567, caFile: String) {
        self.host = host
        self.port = port
        self.caFile = caFile
    }

    /// Who the probe says it is.
    package struct Identity: Sendable {
        /// `nil` stands for a random one, which takes over nobody's session.
        package var clientID: String?
        package var username: String?
        package var password: [UInt8]?

        package init(clientID: String? = nil, username: String? = nil, password: [UInt8]? = nil) {
            self.clientID = clientID
            self.username = username
            self.password = password
        }
    }
}

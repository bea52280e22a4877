/// The address of the broker for MQTT over TLS over TCP. Its certificate is verified with the same CAs as over QUIC.
package struct UplinkFallback: Sendable, Hashable {
    /// A host name or an IP address.
    package var host: String
    /// The TCP port.
    package var port: Int
    /// The name that the server's certificate must have, and that SNI sends; `nil` stands for `host`.
    package var serverName: String?
    /// How long a QUIC handshake may take before TLS over TCP is tried. The draft "MQTT over QUIC" suggests 5 s.
    package var after: Duration

    package init(host: String, port: Int, serverName: String? = nil, after: Duration = .seconds(5)) {
        self.host = host
        self.port = port
        self.serverName = serverName
        self.after = after
    }
}

/// The broker over MQTT over TLS over TCP, verified as over QUIC: with the same authorities, against the host's name.
package struct UplinkFallback: Sendable, Hashable {
    /// Host name or IP address.
    package var host: String
    /// TCP port.
    package var port: Int
    /// The name that the server's certificate has to carry, and the SNI sent; `nil` means `host`.
    package var serverName: String?
    /// How long a QUIC handshake may take before this way is taken ("MQTT over QUIC": 5 s).
    package var after: Duration

    package init(host: String, port: Int, serverName: String? = nil, after: Duration = .seconds(5)) {
        self.host = host
        self.port = port
        self.serverName = serverName
        self.after = after
    }
}

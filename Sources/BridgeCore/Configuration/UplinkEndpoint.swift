/// One address at which the broker can be reached over QUIC.
package struct UplinkEndpoint: Sendable, Hashable {
    /// A host name or an IP address.
    package var host: String
    /// The UDP port.
    package var port: Int
    /// The name that the server's certificate must have, and that SNI sends; `nil` stands for `host`.
    package var serverName: String?

    package init(host: String, port: Int = 14567, serverName: String? = nil) {
        self.host = host
        self.port = port
        self.serverName = serverName
    }
}

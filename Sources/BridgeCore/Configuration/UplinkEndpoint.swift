/// One place where the broker can be reached over QUIC.
package struct UplinkEndpoint: Sendable, Hashable {
    /// Host name or IP address.
    package var host: String
    /// UDP port.
    package var port: Int
    /// The name that the server's certificate has to carry, and the SNI sent; `nil` means `host`.
    package var serverName: String?

    package init(host: String, port: Int = 14567, serverName: String? = nil) {
        self.host = host
        self.port = port
        self.serverName = serverName
    }
}

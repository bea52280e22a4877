/// A server that issues tickets, as it is named in a configuration.
package struct TicketServer: Sendable, Hashable {
    /// A host name or an IP address.
    package var host: String
    package var port: Int
    /// The name that the server's certificate must have.
    package var name: String

    package init(host: String, port: Int, name: String) {
        self.host = host
        self.port = port
        self.name = name
    }
}

/// One local address: for `run` a TCP address to which devices connect, for `serve` a UDP address.
package struct ListenAddress: Sendable, Equatable {
    /// An IPv4 or IPv6 address without brackets. A link-local address has its zone (`fe80::1%eth0`).
    package var host: String
    /// The port. With 0 the kernel chooses one, which the listener's log message names.
    package var port: Int
    /// The value of `${listener}`: the configured name, or else `host:port` (`[host]:port` for IPv6).
    package var name: String

    package init(host: String, port: Int, name: String? = nil) {
        self.host = host
        self.port = port
        self.name = name ?? (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    }
}

/// One local address on which devices are accepted over plain TCP.
package struct ListenAddress: Sendable, Equatable {
    /// An IPv4 or IPv6 address, without brackets; a link-local one with its zone (`fe80::1%eth0`).
    package var host: String
    /// 0 lets the kernel choose; the log line of the listener names the port it chose.
    package var port: Int
    /// The value of `${listener}`: as configured, else `host:port` (`[host]:port` for IPv6).
    package var name: String

    package init(host: String, port: Int, name: String? = nil) {
        self.host = host
        self.port = port
        self.name = name ?? (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    }
}

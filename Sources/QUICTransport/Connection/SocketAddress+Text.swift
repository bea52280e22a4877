import NIOCore

extension SocketAddress {
    /// The address as people write it: `192.0.2.1:14567` or `[2001:db8::1]:14567`.
    package var hostAndPort: String {
        guard let ip = ipAddress, let port else { return "\(self)" }
        return ip.contains(":") ? "[\(ip)\(zone)]:\(port)" : "\(ip):\(port)"
    }
}

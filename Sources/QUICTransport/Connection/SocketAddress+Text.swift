import NIOCore

extension SocketAddress {
    /// `192.0.2.1:14567`, `[2001:db8::1]:14567`: as people write it.
    package var hostAndPort: String {
        guard let ip = ipAddress, let port else { return "\(self)" }
        return ip.contains(":") ? "[\(ip)\(zone)]:\(port)" : "\(ip):\(port)"
    }
}

import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Whether the kernel has a route to an address.
package enum NetworkRoute {
    /// `nil` if there is a route; otherwise the system's text why there is none. Sends nothing: connecting a UDP socket
    /// only looks up the route, as implementations of RFC 6724 do. A QUIC endpoint would find out as well, but it would
    /// lose its socket, and only after the time that an answer may take.
    package static func obstacle(to address: SocketAddress) -> String? {
        guard let family = QUICAddressFamily(address) else { return nil }
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let descriptor = socket(domain, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // Too many open files say nothing about the route.
        guard descriptor >= 0 else { return errno == EAFNOSUPPORT ? String(cString: strerror(errno)) : nil }
        defer { close(descriptor) }
        let status = address.withSockAddr { connect(descriptor, $0, socklen_t($1)) }
        guard status != 0, [ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL].contains(errno) else { return nil }
        return String(cString: strerror(errno))
    }

    /// This machine's address from which the kernel would send to that one; `nil` if it would not. Sends nothing.
    package static func source(to address: SocketAddress) -> SocketAddress? {
        ClientSockets.source(to: address)
    }
}

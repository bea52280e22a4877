import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Whether the kernel knows a way to an address.
package enum NetworkRoute {
    /// Nil where it does, else why not, in the system's words. Sends nothing: connecting a UDP socket only looks the
    /// route up (which is what RFC 6724 implementations do). A QUIC endpoint would find out too, but at the price of its
    /// socket, and after the time that an answer may take.
    package static func obstacle(to address: SocketAddress) -> String? {
        guard let family = QUICAddressFamily(address) else { return nil }
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let descriptor = socket(domain, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // Too many open files are no obstacle on the way.
        guard descriptor >= 0 else { return errno == EAFNOSUPPORT ? String(cString: strerror(errno)) : nil }
        defer { close(descriptor) }
        let status = address.withSockAddr { connect(descriptor, $0, socklen_t($1)) }
        guard status != 0, [ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL].contains(errno) else { return nil }
        return String(cString: strerror(errno))
    }
}

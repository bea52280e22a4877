import CNGTCP2
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension SocketAddress {
    /// `nil` for a null pointer and for families other than IPv4 and IPv6.
    init?(_ address: UnsafePointer<sockaddr>?) {
        guard let address else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            self = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) }
        case AF_INET6:
            self = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
        default:
            return nil
        }
    }

    /// Whether it is safe to give the address to ngtcp2, which aborts the process for other families.
    var isIP: Bool {
        switch self {
        case .v4, .v6: true
        case .unixDomainSocket: false
        }
    }
}

func withPath<Result>(
    local: SocketAddress, remote: SocketAddress, _ body: (bridge_quic_path) -> Result
) -> Result {
    local.withSockAddr { localAddress, localLength in
        remote.withSockAddr { remoteAddress, remoteLength in
            body(
                bridge_quic_path(
                    local: localAddress, remote: remoteAddress, local_length: socklen_t(localLength),
                    remote_length: socklen_t(remoteLength)))
        }
    }
}

extension NIOExplicitCongestionNotificationState {
    /// The two bits of the IP header (RFC 3168 5).
    var bits: UInt8 {
        switch self {
        case .transportNotCapable: 0
        case .transportCapableFlag1: 1
        case .transportCapableFlag0: 2
        case .congestionExperienced: 3
        }
    }

    init(bits: UInt8) {
        switch bits & 0x3 {
        case 1: self = .transportCapableFlag1
        case 2: self = .transportCapableFlag0
        case 3: self = .congestionExperienced
        default: self = .transportNotCapable
        }
    }
}

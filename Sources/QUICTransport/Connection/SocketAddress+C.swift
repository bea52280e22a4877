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

    /// `nil` for families other than IPv4 and IPv6.
    init?(_ address: bridge_address) {
        switch Int32(address.at.any.sa_family) {
        case AF_INET: self.init(address.at.v4)
        case AF_INET6: self.init(address.at.v6)
        default: return nil
        }
    }

    /// Whether a socket that is bound to it receives at all addresses of this machine, or at all of IPv4 as an IPv6
    /// socket shows them (`::ffff:0.0.0.0`).
    var isWildcard: Bool {
        switch self {
        case .v4(let address): address.address.sin_addr.s_addr == 0
        case .v6(let address):
            withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                let rest = bytes.starts(with: Self.mappedPrefix) ? bytes.suffix(4) : bytes[...]
                return rest.allSatisfy { $0 == 0 }
            }
        case .unixDomainSocket: false
        }
    }

    /// What IPv4 addresses begin with when they are written as IPv6 (RFC 4291 2.5.5.2).
    static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    /// Whether it is safe to give the address to ngtcp2, which aborts the process for other families.
    var isIP: Bool {
        switch self {
        case .v4, .v6: true
        case .unixDomainSocket: false
        }
    }
}

extension bridge_address {
    /// No address if it is neither IPv4 nor IPv6.
    init(_ address: SocketAddress) {
        self.init()
        switch address {
        case .v4(let v4):
            at.v4 = v4.address
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
        case .v6(let v6):
            at.v6 = v6.address
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        case .unixDomainSocket:
            break
        }
    }
}

/// - Precondition: Both addresses are IP addresses.
func withPath<Result>(
    local: SocketAddress, remote: SocketAddress, _ body: (bridge_quic_path) -> Result
) -> Result {
    var (local, remote) = (bridge_address(local), bridge_address(remote))
    return withUnsafePointer(to: &local) { local in
        withUnsafePointer(to: &remote) { remote in body(bridge_path_between(local, remote)) }
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

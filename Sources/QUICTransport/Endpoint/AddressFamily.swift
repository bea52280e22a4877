import NIOCore

/// The address family of an endpoint's socket.
package enum QUICAddressFamily: Sendable, Hashable, CaseIterable {
    case ipv4
    case ipv6

    /// `nil` for other addresses, such as those of Unix sockets.
    package init?(_ address: SocketAddress) {
        switch address.protocol {
        case .inet: self = .ipv4
        case .inet6: self = .ipv6
        default: return nil
        }
    }

    /// The address that leaves the choice of the interface to the kernel's routes.
    var wildcard: SocketAddress {
        get throws {
            switch self {
            case .ipv4: try SocketAddress(ipAddress: "0.0.0.0", port: 0)
            case .ipv6: try SocketAddress(ipAddress: "::", port: 0)
            }
        }
    }
}

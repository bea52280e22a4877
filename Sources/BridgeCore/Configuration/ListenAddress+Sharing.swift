import NIOCore

/// Whether a program can listen on two addresses at the same time.
extension ListenAddress {
    /// The address without its zone (`%eth0`), and the zone; `nil` if this is not an IP address.
    private var parts: (address: SocketAddress, zone: Substring)? {
        let text = host.prefix { $0 != "%" }
        guard let address = try? SocketAddress(ipAddress: String(text), port: port) else { return nil }
        return (address.unmapped, host[text.endIndex...])
    }

    /// Whether this is `0.0.0.0` or `::`, in any notation, which stands for all addresses of this machine of that family.
    package var isWildcard: Bool {
        parts?.address.addressBytes?.allSatisfy { $0 == 0 } ?? false
    }

    /// Whether only programs on this machine reach the address: `127.0.0.0/8` or `::1`, in any notation.
    package var isLoopback: Bool {
        guard let bytes = parts?.address.addressBytes else { return false }
        return bytes.count == 4 ? bytes.first == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    private var isIPv6: Bool { parts?.address.protocol == .inet6 }

    /// Whether a socket at this address needs `IPV6_V6ONLY`. Without it, a socket at `::` also accepts IPv4, and would
    /// conflict with an IPv4 address in `others` that has the same port.
    package func leavesIPv4(to others: [ListenAddress]) -> Bool {
        isWildcard && isIPv6 && others.contains { $0.port == port && $0.parts != nil && !$0.isIPv6 }
    }

    /// Whether a program can listen only on one of the two addresses.
    package func excludes(_ other: ListenAddress) -> Bool {
        guard port != 0, port == other.port, let mine = parts, let others = other.parts else { return false }
        guard mine.address.protocol == others.address.protocol else { return false }
        return isWildcard || other.isWildcard || (mine.address == others.address && mine.zone == others.zone)
    }
}

import NIOCore

// Which addresses can be listened at side by side.
extension ListenAddress {
    /// The address without its zone (`%eth0`), and the zone; `nil` where it is no IP address.
    private var parts: (address: SocketAddress, zone: Substring)? {
        let text = host.prefix { $0 != "%" }
        guard let address = try? SocketAddress(ipAddress: String(text), port: port) else { return nil }
        return (address.unmapped, host[text.endIndex...])
    }

    /// `0.0.0.0` or `::`, in whichever way it is written: each address of this machine of that family.
    package var isWildcard: Bool {
        parts?.address.addressBytes?.allSatisfy { $0 == 0 } ?? false
    }

    private var isIPv6: Bool { parts?.address.protocol == .inet6 }

    /// Whether a socket bound here has to be told to leave IPv4 to others (`IPV6_V6ONLY`): one at `::` takes IPv4 too,
    /// and would clash with an IPv4 address of the list that has the same port.
    package func leavesIPv4(to others: [ListenAddress]) -> Bool {
        isWildcard && isIPv6 && others.contains { $0.port == port && $0.parts != nil && !$0.isIPv6 }
    }

    /// Whether the system lets a program listen at one of the two only.
    package func excludes(_ other: ListenAddress) -> Bool {
        guard port != 0, port == other.port, let mine = parts, let others = other.parts else { return false }
        guard mine.address.protocol == others.address.protocol else { return false }
        return isWildcard || other.isWildcard || (mine.address == others.address && mine.zone == others.zone)
    }
}

import NIOCore

/// The addresses of this machine to which datagrams came at a socket that is bound to a wildcard address.
///
/// A server is mostly reached at very few addresses. Those are kept with the socket's port, as connections need them,
/// so that a datagram to one of them allocates nothing here.
struct ArrivalAddresses {
    /// How many addresses are kept. Anyone can choose the address, if all of a network lead to this machine.
    static let capacity = 8

    private struct Entry {
        let destination: SocketAddress
        /// The interface that the destination belongs to; 0 if it has a meaning without one.
        let interface: Int
        let local: SocketAddress

        func fits(_ arrival: NIOPacketInfo) -> Bool {
            (interface == 0 || interface == arrival.interfaceIndex) && destination == arrival.destinationAddress
        }
    }

    private var entries: [Entry] = []
    /// The entry that the last datagram had, and usually the next one has, too.
    private var latest = 0
    /// The entry that makes room for the next new one.
    private var oldest = 0

    var count: Int { entries.count }

    /// The address with the port, and with its interface if it is link-local. `nil` for an address that nothing can be
    /// sent from: a group's (multicast), or everybody's (broadcast). A subnet's broadcast address cannot be told from
    /// others, but the system refuses to send from it.
    mutating func local(of arrival: NIOPacketInfo, port: Int) -> SocketAddress? {
        if entries.indices.contains(latest), entries[latest].fits(arrival) { return entries[latest].local }
        if let index = entries.firstIndex(where: { $0.fits(arrival) }) {
            latest = index
            return entries[index].local
        }
        guard let (local, interface) = Self.local(of: arrival, port: port) else { return nil }
        let entry = Entry(destination: arrival.destinationAddress, interface: interface, local: local)
        if entries.count < Self.capacity {
            entries.append(entry)
            latest = entries.count - 1
        } else {
            entries[oldest] = entry
            latest = oldest
            oldest = (oldest + 1) % Self.capacity
        }
        return local
    }

    private static func local(of arrival: NIOPacketInfo, port: Int) -> (SocketAddress, interface: Int)? {
        switch arrival.destinationAddress {
        case .v4(let address):
            guard isUnicast(UInt32(bigEndian: address.address.sin_addr.s_addr)) else { return nil }
            var local = arrival.destinationAddress
            local.port = port
            return (local, 0)
        case .v6(let address):
            var scoped = address.address
            let bytes = withUnsafeBytes(of: scoped.sin6_addr) { Array($0) }
            if bytes.starts(with: SocketAddress.mappedPrefix) {
                guard isUnicast(bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }) else { return nil }
            }
            guard bytes[0] != 0xFF else { return nil }
            // fe80::/10 (RFC 4291 2.5.6)
            let isLinkLocal = bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
            if isLinkLocal { scoped.sin6_scope_id = UInt32(clamping: arrival.interfaceIndex) }
            var local = SocketAddress(scoped)
            local.port = port
            return (local, isLinkLocal ? arrival.interfaceIndex : 0)
        case .unixDomainSocket:
            return nil
        }
    }

    /// Whether an IPv4 address can be one machine's: not 224.0.0.0/4, and not 255.255.255.255.
    private static func isUnicast(_ address: UInt32) -> Bool {
        address >> 28 != 0xE && address != .max
    }
}

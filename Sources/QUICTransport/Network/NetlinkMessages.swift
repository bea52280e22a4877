/// A change of this machine's addresses, routes or interfaces that can matter to a connection, as the kernel reports it
/// (rtnetlink(7)).
package enum NetworkChange: Sendable, Hashable {
    case address(String, isThere: Bool, interface: UInt32)
    case route(interface: UInt32?)
    case link(interface: UInt32, isUp: Bool)
    /// The kernel had more to report than could be read, so anything may have changed.
    case unknown
}

extension NetworkChange {
    /// The index of the interface that changed; `nil` if the change is not about one interface.
    package var interface: UInt32? {
        switch self {
        case .address(_, _, let interface), .link(let interface, _): interface
        case .route(let interface): interface
        case .unknown: nil
        }
    }

    /// The changes that a datagram of the netlink socket reports, except for those that concern only this machine or are
    /// not complete yet. No bytes can make this trap.
    package static func changes(in datagram: some Collection<UInt8>) -> [NetworkChange] {
        var changes: [NetworkChange] = []
        var rest = NetlinkReader(Array(datagram))
        // struct nlmsghdr: length, type, flags, sequence, port.
        while let length = rest.u32(at: 0), let type = rest.u16(at: 4), length >= 16,
            let body = rest.slice(from: 16, to: Int(clamping: length))
        {
            if let change = change(type, body) { changes.append(change) }
            guard let next = rest.slice(from: NetlinkReader.aligned(Int(clamping: length)), to: rest.count) else {
                break
            }
            rest = next
        }
        return changes
    }

    private static func change(_ type: UInt16, _ body: NetlinkReader) -> NetworkChange? {
        switch type {
        case 16, 17: link(body, isNew: type == 16)
        case 20, 21: address(body, isNew: type == 20)
        case 24, 25: route(body)
        default: nil
        }
    }

    /// struct ifinfomsg: family, pad, type, index, flags, change.
    private static func link(_ body: NetlinkReader, isNew: Bool) -> NetworkChange? {
        guard let index = body.u32(at: 4), let flags = body.u32(at: 8) else { return nil }
        // An interface with IFF_UP and IFF_RUNNING can carry packets.
        return .link(interface: index, isUp: isNew && flags & 0x41 == 0x41)
    }

    /// struct ifaddrmsg: family, prefix length, flags, scope, index.
    private static func address(_ body: NetlinkReader, isNew: Bool) -> NetworkChange? {
        guard let family = body.u8(at: 0), let flags = body.u8(at: 2), let scope = body.u8(at: 3),
            let index = body.u32(at: 4)
        else { return nil }
        // Link-local and host addresses reach no broker. A new address with IFA_F_TENTATIVE cannot be used yet, and another
        // message will follow.
        guard scope < 253, flags & 0x40 == 0 || !isNew else { return nil }
        // The machine's own address is in IFA_LOCAL, or in IFA_ADDRESS if there is no IFA_LOCAL.
        guard let bytes = body.attribute(2, from: 8) ?? body.attribute(1, from: 8) else { return nil }
        return .address(text(bytes, family: family), isThere: isNew, interface: index)
    }

    /// struct rtmsg: family, destination length, source length, TOS, table, protocol, scope, type, flags.
    private static func route(_ body: NetlinkReader) -> NetworkChange? {
        guard let table = body.u8(at: 4), let type = body.u8(at: 7), let flags = body.u32(at: 8) else { return nil }
        // Only routes of type RTN_UNICAST, and those that forbid a destination, matter. The local table does not, nor
        // do the cache entries that have RTM_F_CLONED.
        guard table != 255, ![2, 3, 4, 5].contains(type), flags & 0x200 == 0 else { return nil }
        let interface = body.attribute(4, from: 12).flatMap { NetlinkReader($0).u32(at: 0) }
        // Multicast and link-local destinations do not matter.
        if let destination = body.attribute(1, from: 12), destination.count == 16,
            destination[0] == 0xFF || (destination[0] == 0xFE && destination[1] == 0x80)
        {
            return nil
        }
        return .route(interface: interface)
    }

    private static func text(_ bytes: [UInt8], family: UInt8) -> String {
        guard family != 2 else { return bytes.map { "\($0)" }.joined(separator: ".") }
        return stride(from: 0, to: bytes.count - 1, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}

/// Reads netlink's structures with checked bounds, in the byte order of the machine.
private struct NetlinkReader {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var count: Int { bytes.count }

    static func aligned(_ length: Int) -> Int { (min(length, 1 << 20) + 3) & ~3 }

    func u8(at offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

    func u16(at offset: Int) -> UInt16? { integer(at: offset) }

    func u32(at offset: Int) -> UInt32? { integer(at: offset) }

    private func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer? {
        let size = MemoryLayout<Integer>.size
        guard offset >= 0, bytes.count >= size, offset <= bytes.count - size else { return nil }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Integer.self) }
    }

    func slice(from start: Int, to end: Int) -> NetlinkReader? {
        guard start >= 0, start <= end, end <= bytes.count else { return nil }
        return NetlinkReader(Array(bytes[start..<end]))
    }

    /// struct rtattr: length, type, value.
    func attribute(_ wanted: UInt16, from offset: Int) -> [UInt8]? {
        var offset = offset
        while let length = u16(at: offset), let type = u16(at: offset + 2), length >= 4,
            let value = slice(from: offset + 4, to: offset + Int(length))
        {
            if type == wanted { return value.bytes }
            offset += Self.aligned(Int(length))
        }
        return nil
    }
}

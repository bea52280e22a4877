import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Link-local addresses, which have a meaning only together with a network interface (RFC 4007 11): `fe80::1%eth0`.
extension SocketAddress {
    /// The address, with its zone, that `text` stands for; `nil` if it is a host name.
    ///
    /// - Throws: ``UnknownZone``.
    package static func numeric(_ text: String, port: Int) throws(UnknownZone) -> SocketAddress? {
        guard let percent = text.firstIndex(of: "%") else { return try? SocketAddress(ipAddress: text, port: port) }
        guard let address = try? SocketAddress(ipAddress: String(text[..<percent]), port: port),
            case .v6(let plain) = address
        else { return nil }
        let zone = String(text[text.index(after: percent)...])
        var scoped = plain.address
        scoped.sin6_scope_id = if_nametoindex(zone)
        if scoped.sin6_scope_id == 0 { scoped.sin6_scope_id = UInt32(zone) ?? 0 }
        guard scoped.sin6_scope_id != 0 else { throw UnknownZone(name: zone) }
        return SocketAddress(scoped)
    }

    /// The same for a text that has to be an address.
    ///
    /// - Throws: ``UnknownZone``, or SwiftNIO's error if `text` is no address.
    package static func literal(_ text: String, port: Int) throws -> SocketAddress {
        try numeric(text, port: port) ?? SocketAddress(ipAddress: text, port: port)
    }

    /// For example `%eth0`; empty if the address has no zone.
    var zone: String {
        guard case .v6(let address) = self, address.address.sin6_scope_id != 0 else { return "" }
        let index = address.address.sin6_scope_id
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { space in
            guard let name = if_indextoname(index, space.baseAddress) else { return "%\(index)" }
            return "%" + String(cString: name)
        }
    }
}

/// A zone that names no network interface of this machine.
package struct UnknownZone: Error, Equatable, CustomStringConvertible {
    /// What follows the `%`.
    package let name: String

    /// What is wrong, and how to see which interfaces there are.
    package var description: String {
        "this machine has no network interface '\(name)' (ip link shows those that it has)"
    }
}

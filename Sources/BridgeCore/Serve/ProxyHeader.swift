import NIOCore

/// The header of version 2 of the PROXY protocol, which tells a server the address of the client behind a proxy
/// (HAProxy, "The PROXY protocol", section 2.2).
package enum ProxyHeader {
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    /// Version 2, command PROXY.
    private static let versionAndCommand: UInt8 = 0x21
    /// Version 2, command LOCAL.
    private static let versionAndLocal: UInt8 = 0x20
    private static let tcpOverIPv4: UInt8 = 0x11
    private static let tcpOverIPv6: UInt8 = 0x21

    /// The header of a connection that the proxy makes for itself, without a client.
    package static var local: ByteBuffer {
        ByteBuffer(bytes: signature + [versionAndLocal, 0, 0, 0])
    }

    /// The header of a client's connection. IPv4 addresses that are written as IPv6 become IPv4.
    ///
    /// There always is one, because a server that expects a header takes the first bytes of a connection for it.
    /// Without a source that the protocol knows, it is ``local``.
    /// - Parameters:
    ///   - source: The client's address.
    ///   - destination: The address that the client connected to. The header has one family for both, so if it is none
    ///     of the source's family, `0.0.0.0` or `::` takes its place, with its port.
    package static func encode(source: SocketAddress, destination: SocketAddress) -> ByteBuffer {
        let (source, destination) = (source.unmapped, destination.unmapped)
        guard let from = source.addressBytes, let fromPort = source.port.flatMap(UInt16.init(exactly:)) else {
            return local
        }
        let known = destination.addressBytes.flatMap { $0.count == from.count ? $0 : nil }
        let to = known ?? [UInt8](repeating: 0, count: from.count)
        let toPort = destination.port.flatMap(UInt16.init(exactly:)) ?? 0
        var bytes = ByteBuffer(bytes: signature)
        bytes.writeInteger(versionAndCommand)
        bytes.writeInteger(from.count == 4 ? tcpOverIPv4 : tcpOverIPv6)
        bytes.writeInteger(UInt16(2 * from.count + 4))
        bytes.writeBytes(from)
        bytes.writeBytes(to)
        bytes.writeInteger(fromPort)
        bytes.writeInteger(toPort)
        return bytes
    }
}

extension SocketAddress {
    /// The IP address as 4 or 16 bytes in network order.
    var addressBytes: [UInt8]? {
        switch self {
        case .v4(let address): withUnsafeBytes(of: address.address.sin_addr.s_addr) { Array($0) }
        case .v6(let address): withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
        case .unixDomainSocket: nil
        }
    }

    /// The IPv4 address if an IPv6 socket shows it as `::ffff:192.0.2.1`; any other address is unchanged.
    package var unmapped: SocketAddress {
        guard let bytes = addressBytes, bytes.count == 16,
            bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
        else { return self }
        let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes.suffix(4)), port: port ?? 0)
        return address ?? self
    }
}

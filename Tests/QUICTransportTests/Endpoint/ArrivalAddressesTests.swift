import NIOCore
import Testing

@testable import QUICTransport

@Suite struct ArrivalAddressesTests {
    private static func arrival(_ address: String, interface: Int = 7) throws -> NIOPacketInfo {
        NIOPacketInfo(destinationAddress: try SocketAddress(ipAddress: address, port: 0), interfaceIndex: interface)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1:14567"), ("127.0.0.2", "127.0.0.2:14567"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:14567"), ("2001:db8::1", "[2001:db8::1]:14567"),
        // Only a link-local address belongs to an interface. No machine has one with this number.
        ("fe80::1", "[fe80::1%1000000]:14567"), ("febf::1", "[febf::1%1000000]:14567"),
        ("fec0::1", "[fec0::1]:14567"), ("224.0.0.1", nil), ("239.255.255.255", nil), ("255.255.255.255", nil),
        ("::ffff:224.0.0.1", nil), ("::ffff:255.255.255.255", nil), ("ff02::1", nil),
    ])
    func anAddressAndWhatItsClientsAreAnsweredFrom(came: String, local: String?) throws {
        var addresses = ArrivalAddresses()
        let arrival = try Self.arrival(came, interface: 1_000_000)
        for _ in 0..<2 { #expect(addresses.local(of: arrival, port: 14_567)?.hostAndPort == local) }
        #expect(addresses.count == (local == nil ? 0 : 1))
    }

    /// Replies follow the route, whatever interface a datagram came by.
    @Test func theInterfaceCountsForLinkLocalAddressesOnly() throws {
        var addresses = ArrivalAddresses()
        for interface in [1, 2, 1] {
            _ = addresses.local(of: try Self.arrival("192.0.2.1", interface: interface), port: 1)
        }
        #expect(addresses.count == 1)
        let scopes = try [1, 2, 1].map { interface -> UInt32? in
            let arrival = try Self.arrival("fe80::1", interface: interface)
            guard case .v6(let address)? = addresses.local(of: arrival, port: 1) else { return nil }
            return address.address.sin6_scope_id
        }
        #expect(scopes == [1, 2, 1] && addresses.count == 3)
    }

    @Test func thereIsRoomForAFew() throws {
        var addresses = ArrivalAddresses()
        for round in 0..<3 {
            for number in 1...100 {
                let local = addresses.local(of: try Self.arrival("10.0.\(round).\(number)"), port: 1)
                #expect(local?.hostAndPort == "10.0.\(round).\(number):1")
            }
        }
        #expect(addresses.count == ArrivalAddresses.capacity)
    }

    @Test(arguments: [
        ("0.0.0.0", true), ("::", true), ("::ffff:0.0.0.0", true), ("127.0.0.1", false), ("::1", false),
        ("::ffff:127.0.0.1", false), ("0.0.0.1", false),
    ])
    func wildcards(address: String, isWildcard: Bool) throws {
        #expect(try SocketAddress(ipAddress: address, port: 0).isWildcard == isWildcard)
    }
}

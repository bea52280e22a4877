import BridgeCore
import NIOCore
import Testing

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private func encode(_ source: String, _ destination: String) throws -> [UInt8] {
        let source = try SocketAddress(ipAddress: source, port: 0x1234)
        let destination = try SocketAddress(ipAddress: destination, port: 14_567)
        return Array(ProxyHeader.encode(source: source, destination: destination).readableBytesView)
    }

    @Test func ipv4() throws {
        #expect(
            try encode("192.0.2.1", "198.51.100.2")
                == Self.signature + [0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x38, 0xE7])
    }

    @Test func ipv6() throws {
        let from: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        let to: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [2]
        #expect(
            try encode("2001:db8::1", "2001:db8::2")
                == Self.signature + [0x21, 0x21, 0, 36] + from + to + [0x12, 0x34, 0x38, 0xE7])
    }

    /// A socket that is bound to `::` shows IPv4 clients like this.
    @Test func ipv4WrittenAsIPv6IsIPv4() throws {
        #expect(try encode("::ffff:192.0.2.1", "::ffff:198.51.100.2") == encode("192.0.2.1", "198.51.100.2"))
    }

    /// The broker waits for a header, and the source is what it wants to know.
    @Test func aDestinationOfAnotherFamilyIsLeftOut() throws {
        #expect(try encode("192.0.2.1", "2001:db8::2") == encode("192.0.2.1", "0.0.0.0"))
        #expect(try encode("::ffff:192.0.2.1", "::") == encode("192.0.2.1", "0.0.0.0"))
        #expect(try encode("2001:db8::1", "198.51.100.2") == encode("2001:db8::1", "::"))
    }

    @Test func aSourceThatIsNoAddressGetsAHeaderToo() throws {
        let path = try SocketAddress(unixDomainSocketPath: "/x")
        let address = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
        #expect(ProxyHeader.encode(source: path, destination: address) == ProxyHeader.local)
        let header = ProxyHeader.encode(source: address, destination: path)
        let rest: [UInt8] = [0x21, 0x11, 0, 12, 192, 0, 2, 1, 0, 0, 0, 0, 0, 1, 0, 0]
        #expect(Array(header.readableBytesView) == Self.signature + rest)
    }

    @Test func aConnectionOfTheProxysOwn() {
        #expect(
            Array(ProxyHeader.local.readableBytesView)
                == [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x20, 0, 0, 0])
    }
}

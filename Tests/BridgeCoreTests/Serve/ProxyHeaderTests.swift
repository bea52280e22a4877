import BridgeCore
import NIOCore
import Testing

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private func encode(_ source: String, _ destination: String) throws -> [UInt8]? {
        let source = try SocketAddress(ipAddress: source, port: 0x1234)
        let destination = try SocketAddress(ipAddress: destination, port: 14_567)
        return ProxyHeader.encode(source: source, destination: destination).map { Array($0.readableBytesView) }
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

    @Test func familiesHaveToAgree() throws {
        #expect(try encode("192.0.2.1", "2001:db8::2") == nil)
    }

    @Test func aConnectionOfTheProxysOwn() {
        #expect(
            Array(ProxyHeader.local.readableBytesView)
                == [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x20, 0, 0, 0])
    }
}

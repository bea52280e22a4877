import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The options of an endpoint's socket.
@Suite struct DatagramSocketTests {
    private final class Idle: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
    }

    /// A probe of the path's size must not be fragmented, whichever family it goes out with.
    @Test(arguments: [false, true])
    func neitherFamilyFragmentsOnASocketOfBoth(_ isIPv6Only: Bool) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let address = try SocketAddress(ipAddress: "::", port: 0)
        let options = DatagramSocket.Options(isIPv6Only: isIPv6Only)
        let channel = try await DatagramSocket.open(address, options, on: loop) { Idle() }.get()
        let ipv6 = try await channel.getOption(DatagramSocket.discoverIPv6).get()
        let ipv4 = try await channel.getOption(DatagramSocket.discoverIPv4).get()
        #expect(ipv6 == Int(IPV6_PMTUDISC_PROBE))
        #expect((ipv4 == Int(IP_PMTUDISC_PROBE)) == !isIPv6Only)
        try await channel.close()
    }
}

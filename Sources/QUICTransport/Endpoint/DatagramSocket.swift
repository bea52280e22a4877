import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opens the UDP socket of an endpoint.
enum DatagramSocket {
    /// Datagrams that one `recvmmsg` call takes.
    private static let datagramsPerRead = 16
    /// Room for one datagram. We never tell a peer that we take more than this in `max_udp_payload_size`.
    private static let datagramCapacity = 2_048
    /// Asked of the kernel in each direction; it may give less.
    private static let kernelBuffer = 1_048_576

    /// Binds to the family's wildcard address with a port of the kernel's choice, so that the kernel's route is followed
    /// when it changes.
    static func open(
        _ family: QUICAddressFamily, on eventLoop: any EventLoop, handler: @escaping @Sendable () -> any ChannelHandler
    ) -> EventLoopFuture<any Channel> {
        let address: SocketAddress
        do {
            address = try family.wildcard
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        let discover = discoverOption(family)
        return DatagramBootstrap(group: eventLoop)
            .channelOption(.datagramVectorReadMessageCount, value: datagramsPerRead)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: datagramsPerRead * datagramCapacity)
            )
            .channelOption(.maxMessagesPerRead, value: 8)
            .channelOption(.socketOption(.so_rcvbuf), value: kernelBuffer)
            .channelOption(.socketOption(.so_sndbuf), value: kernelBuffer)
            // Do not fragment, and let path MTU discovery send what is larger than the kernel believes in
            // (RFC 8899: the probes are ngtcp2's).
            .channelOption(discover.option, value: discover.value)
            .channelOption(
                .writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 65_536, high: 262_144)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            .bind(to: address)
    }

    private static func discoverOption(
        _ family: QUICAddressFamily
    ) -> (option: ChannelOptions.Types.SocketOption, value: Int) {
        switch family {
        case .ipv4: (.init(level: .ip, name: .init(rawValue: CInt(IP_MTU_DISCOVER))), Int(IP_PMTUDISC_PROBE))
        case .ipv6: (.init(level: .ipv6, name: .init(rawValue: CInt(IPV6_MTU_DISCOVER))), Int(IPV6_PMTUDISC_PROBE))
        }
    }
}

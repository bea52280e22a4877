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

    /// How a socket goes with others on the same port.
    struct Options {
        /// Sockets of other event loops have the same address, between which the kernel distributes senders.
        var isShared = false
        /// A socket bound to `::` leaves IPv4 to others.
        var isIPv6Only = false
    }

    /// Binds to the address; that of a client is its family's wildcard with a port of the kernel's choice, so that the
    /// kernel's route is followed when it changes.
    static func open(
        _ address: SocketAddress, _ options: Options, on eventLoop: any EventLoop,
        handler: @escaping @Sendable () -> any ChannelHandler
    ) -> EventLoopFuture<any Channel> {
        guard let family = QUICAddressFamily(address) else {
            return eventLoop.makeFailedFuture(SocketAddressError.unsupported)
        }
        let discover = discoverOption(family)
        var bootstrap = DatagramBootstrap(group: eventLoop)
        if options.isShared { bootstrap = bootstrap.channelOption(reusePort, value: 1) }
        if options.isIPv6Only { bootstrap = bootstrap.channelOption(ipv6Only, value: 1) }
        return
            bootstrap
            .channelOption(.datagramVectorReadMessageCount, value: datagramsPerRead)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: datagramsPerRead * datagramCapacity)
            )
            // One call takes all there is in all but the busiest moments; a second one would only learn that.
            .channelOption(.maxMessagesPerRead, value: 1)
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

    private static let reusePort = ChannelOptions.Types.SocketOption(
        level: .socket, name: .init(rawValue: CInt(SO_REUSEPORT)))

    private static let ipv6Only = ChannelOptions.Types.SocketOption(
        level: .ipv6, name: .init(rawValue: CInt(IPV6_V6ONLY)))

    /// Binds and lets go again, to find out whether anybody has the address.
    static func probe(_ address: SocketAddress, _ options: Options, on eventLoop: any EventLoop) -> EventLoopFuture<
        Void
    > {
        var bootstrap = DatagramBootstrap(group: eventLoop)
        if options.isIPv6Only { bootstrap = bootstrap.channelOption(ipv6Only, value: 1) }
        return bootstrap.bind(to: address).flatMap { $0.close() }
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

import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opens the UDP socket of an endpoint.
enum DatagramSocket {
    /// How many bytes the kernel is asked to buffer per direction. It may grant less.
    private static let kernelBuffer = 1_048_576

    /// How a socket shares its port with others.
    struct Options {
        /// How sockets of several event loops that have the same address share what arrives; `nil` if this is the only
        /// socket with its address.
        var steering: LoopSteering?
        /// A socket bound to `::` leaves IPv4 to others.
        var isIPv6Only = false
        /// The system tells to which address of this machine each datagram came. That costs an allocation per datagram,
        /// so only a socket that is bound to a wildcard address should ask for it.
        var tellsDestinations = false
    }

    /// Opens a socket that is bound to the address. A client's is its family's wildcard with a port of the kernel's
    /// choice, so that a change of the kernel's route is followed.
    static func open(
        _ address: SocketAddress, _ options: Options, on eventLoop: any EventLoop,
        handler: @escaping @Sendable () -> any ChannelHandler
    ) -> EventLoopFuture<any Channel> {
        guard let family = QUICAddressFamily(address) else {
            return eventLoop.makeFailedFuture(SocketAddressError.unsupported)
        }
        var bootstrap = DatagramBootstrap(group: eventLoop)
        if options.steering != nil { bootstrap = bootstrap.channelOption(reusePort, value: 1) }
        if options.isIPv6Only { bootstrap = bootstrap.channelOption(ipv6Only, value: 1) }
        // Datagrams are not fragmented, and may be larger than what the kernel believes the path to carry, because ngtcp2
        // sends the probes of path MTU discovery (RFC 8899).
        for discover in discoverOptions(family, options) {
            bootstrap = bootstrap.channelOption(discover.option, value: discover.value)
        }
        // Nothing must be read before the system tells destinations, and SwiftNIO can ask for these only then.
        if options.tellsDestinations { bootstrap = bootstrap.channelOption(.autoRead, value: false) }
        let bound =
            bootstrap
            .channelOption(.datagramVectorReadMessageCount, value: ReadSize.few)
            .channelOption(.recvAllocator, value: ReadRoom(datagrams: ReadSize.few))
            // One call takes all there is in all but the busiest moments; a second one would usually find nothing.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.socketOption(.so_rcvbuf), value: kernelBuffer)
            .channelOption(.socketOption(.so_sndbuf), value: kernelBuffer)
            .channelOption(
                .writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 65_536, high: 262_144)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            .bind(to: address)
        guard options.tellsDestinations else { return bound }
        return bound.flatMap { channel in
            channel.setOption(.receivePacketInfo, value: true)
                // A system that cannot tell: the kernel's route decides then from where clients are answered.
                .recover { _ in }
                .flatMap { channel.setOption(.autoRead, value: true) }
                .map { channel }
        }
    }

    /// From the next read on, one call takes as many datagrams as that.
    static func setReadSize(_ datagrams: Int, of channel: any Channel) {
        guard let options = channel.syncOptions else { return }
        // This fails only if the channel is closed, and then nothing is read any more.
        try? options.setOption(.recvAllocator, value: ReadRoom(datagrams: datagrams))
        try? options.setOption(.datagramVectorReadMessageCount, value: datagrams)
    }

    private static let reusePort = ChannelOptions.Types.SocketOption(
        level: .socket, name: .init(rawValue: CInt(SO_REUSEPORT)))

    private static let ipv6Only = ChannelOptions.Types.SocketOption(
        level: .ipv6, name: .init(rawValue: CInt(IPV6_V6ONLY)))

    /// Binds a socket and closes it again, to find out whether the address is in use. Fails if it is.
    static func probe(_ address: SocketAddress, _ options: Options, on eventLoop: any EventLoop) -> EventLoopFuture<
        Void
    > {
        var bootstrap = DatagramBootstrap(group: eventLoop)
        if options.isIPv6Only { bootstrap = bootstrap.channelOption(ipv6Only, value: 1) }
        return bootstrap.bind(to: address).flatMap { $0.close() }
    }

    /// Another number for the channel's socket; -1 if there is none to be had.
    static func duplicate(_ channel: any Channel) -> CInt {
        let number = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
        return (number ?? nil) ?? -1
    }

    static func close(_ descriptor: CInt) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
            _ = Musl.close(descriptor)
        #endif
    }

    /// An IPv6 socket that also carries IPv4 has an option for either.
    private static func discoverOptions(
        _ family: QUICAddressFamily, _ options: Options
    ) -> [(option: ChannelOptions.Types.SocketOption, value: Int)] {
        let ipv4 = (discoverIPv4, Int(IP_PMTUDISC_PROBE))
        let ipv6 = (discoverIPv6, Int(IPV6_PMTUDISC_PROBE))
        return switch family {
        case .ipv4: [ipv4]
        case .ipv6: options.isIPv6Only ? [ipv6] : [ipv6, ipv4]
        }
    }

    static let discoverIPv4 = ChannelOptions.Types.SocketOption(
        level: .ip, name: .init(rawValue: CInt(IP_MTU_DISCOVER)))

    static let discoverIPv6 = ChannelOptions.Types.SocketOption(
        level: .ipv6, name: .init(rawValue: CInt(IPV6_MTU_DISCOVER)))
}

import BridgeCore
import Logging
import NIOCore
import NIOPosix
import QUICTransport
import TLSTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Accepts devices on one address, and gives each of them to an event loop.
struct DeviceListener {
    private let shared: SharedState
    private let group: MultiThreadedEventLoopGroup
    private let hosts: [ObjectIdentifier: NIOLoopBound<SessionHost>]

    init(
        shared: SharedState, group: MultiThreadedEventLoopGroup,
        hosts: [ObjectIdentifier: NIOLoopBound<SessionHost>]
    ) {
        self.shared = shared
        self.group = group
        self.hosts = hosts
    }

    /// Starts listening. Throws ``ListenError``.
    ///
    /// - Parameter passed: A listening socket that was passed to the program, and is used from now on; `nil` if it has to
    ///   open one.
    func bind(_ address: ListenAddress, passed: CInt? = nil) async throws -> any Channel {
        let shared = shared
        let hosts = hosts
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pause = AcceptPause { error in
                        shared.logger.warning(
                            "devices cannot be accepted for now",
                            metadata: [
                                "address": "\(address.name)", "leg": "device",
                                "reason": "\(error.acceptAdvice)",
                            ])
                    }
                    try channel.pipeline.syncOperations.addHandler(pause)
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: StreamReadRoom.messagesPerRead)
            // A device that has shut down its sending side still reads the responses.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Each device keeps such a buffer.
            .childChannelOption(.recvAllocator, value: StreamReadRoom(initial: 64))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Self.accepted(channel, on: address, shared, hosts)
                }
            }
        // A socket that is bound already is as it is.
        if passed == nil, address.leavesIPv4(to: shared.configuration.listen) {
            bootstrap = bootstrap.serverChannelOption(Self.ipv6Only, value: 1)
        }
        do {
            let channel = try await open(bootstrap, address, passed)
            var metadata: Logger.Metadata = [
                "address": "\(channel.localAddress?.hostAndPort ?? address.name)", "leg": "device",
            ]
            if passed != nil { metadata["socket"] = "passed" }
            shared.logger.info("listening", metadata: metadata)
            return channel
        } catch {
            throw ListenError(
                address, .tcp, error, besides: shared.configuration.listen.prefix { $0 != address })
        }
    }

    private func open(
        _ bootstrap: ServerBootstrap, _ address: ListenAddress, _ passed: CInt?
    ) async throws -> any Channel {
        guard let passed else {
            let socket = try SocketAddress.literal(address.host, port: address.port)
            return try await bootstrap.bind(to: socket).get()
        }
        let channel = try await bootstrap.withBoundSocket(passed).get()
        // SwiftNIO has called listen() with a shorter queue than devices need that all come back at once.
        _ = listen(passed, Self.backlog)
        return channel
    }

    /// How many devices may wait until they are accepted.
    private static let backlog: CInt = 1_024
    private static let ipv6Only = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)

    private static func accepted(
        _ channel: any Channel, on address: ListenAddress, _ shared: SharedState,
        _ hosts: [ObjectIdentifier: NIOLoopBound<SessionHost>]
    ) throws {
        let remote = channel.remoteAddress
        let peer = remote?.ipAddress ?? "unknown"
        guard let host = hosts[ObjectIdentifier(channel.eventLoop)]?.value else {
            preconditionFailure("a channel arrived on an event loop that does not belong to the bridge")
        }
        // It was accepted just before the listener was closed.
        guard !host.isDraining else { throw NotTaken() }
        let decision = shared.admission.admit(from: peer)
        if case .close = decision {
            host.sessions.closedAtOnce += 1
            throw NotTaken()
        }
        let driver = SessionDriver(
            host: host, admission: decision, listener: address, peer: peer, peerAndPort: remote?.hostAndPort ?? peer)
        try channel.pipeline.syncOperations.addHandler(driver)
    }

    /// Makes SwiftNIO close the channel that is being set up.
    private struct NotTaken: Error {}
}

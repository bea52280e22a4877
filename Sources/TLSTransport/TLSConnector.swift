import NIOCore
import NIOPosix
import NIOSSL
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Gives connections their TCP channel: races a server's addresses (RFC 8305), and has TLS begin on the first one that
/// answers.
package struct TLSConnector {
    /// How long sent bytes may go unacknowledged before the kernel gives a connection up, unless the owner has set that
    /// time. The kernel's own default is a quarter of an hour.
    private static let usualPathTimeout = Duration.seconds(10)

    private let context: TLSClientContext
    private let eventLoop: any EventLoop
    private let keepAlive: Duration
    private let pathTimeout: Duration

    /// - Parameters:
    ///   - keepAlive: How long nothing may come before the kernel probes the server.
    ///   - pathTimeout: How long sent bytes may go unacknowledged.
    package init(
        _ context: TLSClientContext, keepAlive: Duration, pathTimeout: Duration? = nil, on eventLoop: any EventLoop
    ) {
        self.context = context
        self.eventLoop = eventLoop
        self.keepAlive = keepAlive
        self.pathTimeout = pathTimeout ?? Self.usualPathTimeout
    }

    /// The outcome goes to the connection, which is told of nothing if it has ended meanwhile.
    package func connect(_ connection: TLSConnection, to addresses: [SocketAddress], until deadline: NIODeadline) {
        let left = max(deadline - .now(), .milliseconds(1))
        bootstrap
            // The connection's own timer comes first, so that it reports the timeout.
            .connectTimeout(left + .milliseconds(100))
            .resolver(KnownAddresses(addresses, on: eventLoop))
            .connect(host: context.settings.host, port: context.settings.port)
            .assumeIsolated()
            .whenComplete { [context] result in
                do {
                    connection.connected(try result.get(), tls: try context.makeHandler())
                } catch {
                    if case .success(let channel) = result { channel.close(promise: nil) }
                    connection.fail(context.words.error(error, certificate: nil))
                }
            }
    }

    /// Makes the kernel notice a path that drops everything: what is sent has to be acknowledged within the path's
    /// timeout, and while nothing is sent, the kernel probes as often as QUIC would.
    private var bootstrap: ClientBootstrap {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            // Together with the size of a read this bounds what comes beyond the window.
            .channelOption(.maxMessagesPerRead, value: StreamReadRoom.messagesPerRead)
            // SwiftNIO's TLS handler keeps room for what one read decrypts to, which is 32 KiB as long as this is 16.
            .channelOption(.recvAllocator, value: StreamReadRoom(initial: StreamReadRoom.kept, largest: 16_384))
        #if os(Linux)
            let patience = max(Int(TimeAmount(pathTimeout).nanoseconds / 1_000_000), 1_000)
            return
                bootstrap
                .channelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: .init(patience))
                .channelOption(
                    .tcpOption(.init(rawValue: TCP_KEEPIDLE)),
                    value: .init(max(Int(clamping: keepAlive.components.seconds), 1))
                )
                .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: .init(max(patience / 3_000, 1)))
                .channelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
        #else
            return bootstrap
        #endif
    }
}

/// Gives SwiftNIO addresses that were looked up before, so that it can race them.
private struct KnownAddresses: Resolver, Sendable {
    private let addresses: [SocketAddress]
    private let eventLoop: any EventLoop

    init(_ addresses: [SocketAddress], on eventLoop: any EventLoop) {
        self.addresses = addresses
        self.eventLoop = eventLoop
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeSucceededFuture(addresses.filter { $0.protocol == .inet })
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeSucceededFuture(addresses.filter { $0.protocol == .inet6 })
    }

    func cancelQueries() {}
}

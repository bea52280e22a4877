import BridgeCore
import NIOCore
import NIOPosix
import NIOSSL
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes TLS connections to the fallback for one event loop. It looks the fallback's name up for each connection, and
/// races its addresses (RFC 8305). Its caller decides when and for which device.
final class TLSDialer {
    /// How long sent bytes may go unacknowledged before the kernel gives a connection up, unless the operator has set
    /// that time. The kernel's own default is a quarter of an hour.
    private static let usualPathTimeout = Duration.seconds(10)

    private struct Attempt {
        let connection: TLSCarrier
        let deadline: NIODeadline
    }

    private let context: TLSUplinkContext
    private let uplink: UplinkConfiguration
    /// How many bytes the broker may send before the device has taken any.
    private let window: Int
    private let eventLoop: any EventLoop
    private let resolve: QUICDialer.Resolve
    /// The attempts that wait for the lookup under way; `nil` if there is none. Devices that come and go must not pile
    /// up lookups. An attempt that is given up leaves the line. Bounded by `limits.devices`.
    private var lookup: WaitingLine<ObjectIdentifier, Attempt>?

    init(
        _ context: TLSUplinkContext, _ configuration: BridgeConfiguration, on eventLoop: any EventLoop,
        resolve: @escaping QUICDialer.Resolve = { HostResolver().resolve(host: $0, port: $1, on: $2) }
    ) {
        self.context = context
        self.resolve = resolve
        self.uplink = configuration.uplink
        self.window = configuration.limits.sessionBuffer
        self.eventLoop = eventLoop
    }

    /// Starts a connection. The outcome goes to its observer, never from within this call.
    ///
    /// - Parameter patience: How long making the connection may take, from looking up the name to verifying the broker.
    func dial(
        _ id: UplinkConnectionID, within patience: Duration, observer: any UplinkCarrierObserver
    ) -> TLSCarrier {
        let connection = TLSCarrier(
            id, observer: observer, words: context.words, window: window, eventLoop: eventLoop)
        let deadline = NIODeadline.now() + TimeAmount(patience)
        connection.limit(by: deadline, of: patience)
        let attempt = Attempt(connection: connection, deadline: deadline)
        eventLoop.assumeIsolated().execute { [self] in
            if connection.isDialing { lookUp(for: attempt) }
        }
        return connection
    }

    /// How many attempts wait for the lookup.
    var waitingCount: Int { lookup?.count ?? 0 }

    private func lookUp(for attempt: Attempt) {
        let isUnderWay = lookup != nil
        let key = ObjectIdentifier(attempt.connection)
        var line = lookup ?? WaitingLine()
        lookup = nil
        line.append(key, attempt)
        lookup = line
        attempt.connection.givenUp = { [weak self] in _ = self?.lookup?.remove(key) }
        guard !isUnderWay else { return }
        let fallback = context.fallback
        resolve(fallback.host, fallback.port, eventLoop)
            .assumeIsolated()
            .whenComplete { [self] result in
                let attempts = lookup?.all ?? []
                lookup = nil
                for attempt in attempts where attempt.connection.isDialing { resolved(result, for: attempt) }
            }
    }

    private func resolved(_ result: Result<[SocketAddress], any Error>, for attempt: Attempt) {
        switch result {
        case .success(let all):
            let usable = all.filter { uplink.addressFamily.admits($0) }
            guard usable.isEmpty else { return connect(attempt, to: usable) }
            attempt.connection.fail(
                TLSUplinkError(
                    .network, "\(context.fallback.host) has no \(uplink.addressFamily.rawValue) address"))
        case .failure(let error):
            attempt.connection.fail(context.words.error(error, certificate: nil))
        }
    }

    private func connect(_ attempt: Attempt, to addresses: [SocketAddress]) {
        let left = max(attempt.deadline - .now(), .milliseconds(1))
        bootstrap
            // The carrier's own timer comes first, so that it reports the timeout.
            .connectTimeout(left + .milliseconds(100))
            .resolver(KnownAddresses(addresses, on: eventLoop))
            .connect(host: context.fallback.host, port: context.fallback.port)
            .assumeIsolated()
            .whenComplete { [self] result in
                do {
                    attempt.connection.connected(try result.get(), tls: try context.makeHandler())
                } catch {
                    if case .success(let channel) = result { channel.close(promise: nil) }
                    attempt.connection.fail(context.words.error(error, certificate: nil))
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
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2_048, maximum: 65_536))
        #if os(Linux)
            let patience = max(
                Int(TimeAmount(uplink.pathTimeout ?? Self.usualPathTimeout).nanoseconds / 1_000_000), 1_000)
            return
                bootstrap
                .channelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: .init(patience))
                .channelOption(
                    .tcpOption(.init(rawValue: TCP_KEEPIDLE)),
                    value: .init(max(Int(uplink.keepAlive.components.seconds), 1))
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

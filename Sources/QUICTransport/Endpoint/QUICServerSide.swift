import Logging
import NIOCore

/// The part of a listening ``QUICEndpoint`` that accepts connections, and answers datagrams that belong to none.
package final class QUICServerSide {
    private var acceptor: QUICServerAcceptor
    private weak var delegate: (any QUICEndpointDelegate)?
    private let place: QUICDatagramExchange.Place?
    /// How the connection IDs are laid out by which datagrams find their connection.
    let connectionIDs: ConnectionIDLayout
    let socketOptions: DatagramSocket.Options
    private let logger: Logger

    init(
        acceptor: QUICServerAcceptor, delegate: any QUICEndpointDelegate, place: QUICDatagramExchange.Place?,
        connectionIDs: ConnectionIDLayout, isIPv6Only: Bool, logger: Logger
    ) {
        self.acceptor = acceptor
        self.delegate = delegate
        self.place = place
        self.connectionIDs = connectionIDs
        self.socketOptions = DatagramSocket.Options(
            steering: place?.steering(connectionIDs), isIPv6Only: isIPv6Only)
        self.logger = logger
    }

    /// The certificates for the next connections. Existing connections keep theirs.
    package var tls: QUICTLSContext {
        get { acceptor.tls }
        set { acceptor.tls = newValue }
    }

    /// The settings of the next connections. Existing connections keep theirs, and so does the socket.
    package func adopt(_ server: QUICServerConfiguration) {
        acceptor.tls = server.tls
        acceptor.adopt(server.quic, repliesPerSecond: server.repliesPerSecond)
    }

    /// Hands a datagram to the event loop that it belongs to, or drops it if too many wait for that loop.
    ///
    /// If the kernel chooses the socket by the sender's address instead of the connection ID (see ``LoopSteering``), the
    /// datagrams of a connection come to another socket than before when that address changes (NAT rebinding,
    /// migration). The connection ID tells which loop has the connection.
    /// - Returns: Whether the datagram belongs to another loop.
    func forward(
        _ datagram: ByteBuffer, under id: QUICConnectionID, from remote: SocketAddress, to local: SocketAddress
    ) -> Bool {
        guard let place, !QUICPacketHeader.isInitial(datagram) else { return false }
        return place.forward(datagram, under: id, connectionIDs, from: remote, to: local)
    }

    /// Handles a datagram that belongs to no connection: it may begin one, or deserve an answer.
    func receivedStray(
        _ datagram: ByteBuffer, from remote: SocketAddress, to local: SocketAddress, at endpoint: QUICEndpoint
    ) {
        let now = NIODeadline.now()
        switch acceptor.decide(datagram, from: remote, to: local, at: now) {
        case .accept(let incoming):
            decide(on: incoming, datagram, endpoint, now)
        case .reply(let datagram):
            endpoint.reply(datagram)
        case .ignore:
            break
        }
    }

    private func decide(
        on incoming: QUICIncomingConnection, _ datagram: ByteBuffer, _ endpoint: QUICEndpoint, _ now: NIODeadline
    ) {
        guard let delegate else { return }
        switch delegate.endpoint(endpoint, decidesOn: incoming) {
        case .retry where !incoming.isAddressValidated:
            acceptor.retry = .always
            defer { acceptor.retry = .never }
            let decision = acceptor.decide(datagram, from: incoming.remote, to: incoming.local, at: now)
            if case .reply(let retry) = decision { endpoint.reply(retry) }
        case .accept, .retry:
            accept(incoming, endpoint, delegate, now)
        case .refuse:
            if let refusal = acceptor.refusal(of: incoming) { endpoint.reply(refusal) }
        case .ignore:
            break
        }
    }

    private func accept(
        _ incoming: QUICIncomingConnection, _ endpoint: QUICEndpoint, _ delegate: any QUICEndpointDelegate,
        _ now: NIODeadline
    ) {
        do {
            let connection = try QUICConnection.server(accepting: incoming, now: now)
            let handle = QUICConnectionHandle(connection: connection, endpoint: endpoint)
            endpoint.connections.add(handle)
            handle.observer = delegate.endpoint(endpoint, accepted: handle, from: incoming)
            endpoint.deliverEvents(of: handle)
            endpoint.needsFlush(handle)
        } catch {
            logger.warning(
                "QUIC connection could not be made; the client's datagram was dropped",
                metadata: ["error": "\(error)", "leg": "client"])
        }
    }
}

/// The settings of a listening ``QUICEndpoint``.
package struct QUICServerConfiguration: Sendable {
    /// The settings of each connection.
    package var quic: QUICConfiguration
    /// The certificates of the first connections.
    package var tls: QUICTLSContext
    /// 32 bytes from which stateless reset tokens and Retry tokens are made, random if `nil`. All event loops need the
    /// same. With the same secret, a restarted server can reset the connections of the previous process.
    package var secret: [UInt8]?
    /// How many datagrams that belong to no connection are answered per second at most.
    package var repliesPerSecond = 1_000

    /// What tells a load balancer which server it is; at most ``ConnectionIDLayout/longestServerID`` bytes, empty without
    /// one.
    package var serverID: [UInt8] = []

    /// A listener on `::` also receives IPv4, unless this is set: then another socket may listen there.
    package var isIPv6Only = false

    package init(quic: QUICConfiguration, tls: QUICTLSContext) {
        self.quic = quic
        self.tls = tls
    }
}

extension QUICEndpoint {
    /// Makes an endpoint that accepts connections at `address`; `listen()` opens its socket. Call it on the loop.
    ///
    /// If `address` is a wildcard, each client is answered from the address of this machine that it has sent to.
    /// - Parameter place: This endpoint's place among those of other loops with the same address; `nil` if it is the
    ///   only one.
    /// - Throws: If `address` is neither IPv4 nor IPv6.
    package convenience init(
        listeningOn address: SocketAddress, eventLoop: any EventLoop, configuration: QUICServerConfiguration,
        delegate: any QUICEndpointDelegate, place: QUICDatagramExchange.Place? = nil, logger: Logger
    ) throws {
        guard let family = QUICAddressFamily(address) else { throw SocketAddressError.unsupported }
        var quic = configuration.quic
        quic.connectionIDs = ConnectionIDLayout(serverID: configuration.serverID, loop: place?.index)
        let acceptor = QUICServerAcceptor(
            configuration: quic, tls: configuration.tls, secret: configuration.secret,
            repliesPerSecond: configuration.repliesPerSecond)
        let server = QUICServerSide(
            acceptor: acceptor, delegate: delegate, place: place, connectionIDs: quic.connectionIDs,
            isIPv6Only: configuration.isIPv6Only, logger: logger)
        self.init(eventLoop: eventLoop, family: family, address: address, server: server, logger: logger)
        place?.take(self)
    }

    /// Fails if the address is in use. Without this check, endpoints that share an address among loops would also share
    /// it with another process, and neither process would notice.
    package static func checkIsFree(
        _ address: SocketAddress, _ configuration: QUICServerConfiguration, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Void> {
        DatagramSocket.probe(address, .init(isIPv6Only: configuration.isIPv6Only), on: eventLoop)
    }
}

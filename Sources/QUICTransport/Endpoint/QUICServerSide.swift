import Logging
import NIOCore

/// What a ``QUICEndpoint`` has beside when it listens: who may come, and what strays get for an answer.
package final class QUICServerSide {
    private var acceptor: QUICServerAcceptor
    private weak var delegate: (any QUICEndpointDelegate)?
    private let place: QUICDatagramExchange.Place?
    let socketOptions: DatagramSocket.Options
    private let logger: Logger

    init(
        acceptor: QUICServerAcceptor, delegate: any QUICEndpointDelegate, place: QUICDatagramExchange.Place?,
        isIPv6Only: Bool, logger: Logger
    ) {
        self.acceptor = acceptor
        self.delegate = delegate
        self.place = place
        self.socketOptions = DatagramSocket.Options(isShared: place != nil, isIPv6Only: isIPv6Only)
        self.logger = logger
    }

    /// What the next connections are made with; those that are there keep theirs.
    package var tls: QUICTLSContext {
        get { acceptor.tls }
        set { acceptor.tls = newValue }
    }

    /// Answers whether the datagram belongs to another event loop, which it has been given to or, where that one has
    /// too many waiting, dropped for.
    ///
    /// The kernel chooses the socket by the sender's address. When that changes (NAT rebinding, migration), the datagrams
    /// of a connection come to another socket than before; the connection ID tells whose they are.
    func forward(_ datagram: ByteBuffer, under id: QUICConnectionID, from remote: SocketAddress) -> Bool {
        guard let place, !QUICPacketHeader.isInitial(datagram) else { return false }
        return place.forward(datagram, under: id, from: remote)
    }

    /// A datagram of no connection: the first of a new one, or one that deserves an answer of its own.
    func receivedStray(_ datagram: ByteBuffer, from remote: SocketAddress, to endpoint: QUICEndpoint) {
        let now = NIODeadline.now()
        switch acceptor.decide(datagram, from: remote, to: endpoint.localAddress, at: now) {
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
            logger.warning("a QUIC connection could not be made", metadata: ["error": "\(error)", "leg": "client"])
        }
    }
}

/// What a listening ``QUICEndpoint`` is made with.
package struct QUICServerConfiguration: Sendable {
    package var quic: QUICConfiguration
    package var tls: QUICTLSContext
    /// 32 bytes from which stateless reset tokens and Retry tokens are made; the same for all event loops. The same
    /// after a restart lets the server reset connections of before. Random where nil.
    package var secret: [UInt8]?
    /// Datagrams of no connection that are answered, at most.
    package var repliesPerSecond = 1_000

    /// A listener on `::` takes IPv4 too, unless this is set: then something else may listen there.
    package var isIPv6Only = false

    package init(quic: QUICConfiguration, tls: QUICTLSContext) {
        self.quic = quic
        self.tls = tls
    }
}

extension QUICEndpoint {
    /// Makes an endpoint that takes connections at `address`; `listen()` opens its socket. Call it on the loop.
    ///
    /// Bound to a wildcard address, replies leave from the address that the kernel's route says (SwiftNIO cannot set
    /// another): on a host with several addresses in one network, listen on each of them by name.
    /// - Parameter place: of this endpoint among those of other loops with the same address; nil where it is the only one.
    package convenience init(
        listeningOn address: SocketAddress, eventLoop: any EventLoop, configuration: QUICServerConfiguration,
        delegate: any QUICEndpointDelegate, place: QUICDatagramExchange.Place? = nil, logger: Logger
    ) throws {
        guard let family = QUICAddressFamily(address) else { throw SocketAddressError.unsupported }
        var quic = configuration.quic
        quic.connectionIDPrefix = place?.index
        let acceptor = QUICServerAcceptor(
            configuration: quic, tls: configuration.tls, secret: configuration.secret,
            repliesPerSecond: configuration.repliesPerSecond)
        let server = QUICServerSide(
            acceptor: acceptor, delegate: delegate, place: place, isIPv6Only: configuration.isIPv6Only, logger: logger)
        self.init(eventLoop: eventLoop, family: family, address: address, server: server, logger: logger)
        place?.take(self)
    }

    /// Fails where anybody has the address: endpoints that share it would share it with another process, too, and
    /// neither would know.
    package static func checkIsFree(
        _ address: SocketAddress, _ configuration: QUICServerConfiguration, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Void> {
        DatagramSocket.probe(address, .init(isIPv6Only: configuration.isIPv6Only), on: eventLoop)
    }
}

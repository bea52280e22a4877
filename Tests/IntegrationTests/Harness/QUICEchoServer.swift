import NIOCore
import NIOPosix

@testable import QUICTransport

/// A QUIC server on a loopback socket that sends back what it receives on streams, and can forget its connections.
///
/// Each client has a connection of its own, so late datagrams from a forgotten client do not disturb the next one.
final class QUICEchoServer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private final class Peer {
        let connection: QUICConnection
        var timer: Scheduled<Void>?

        init(_ connection: QUICConnection) {
            self.connection = connection
        }
    }

    private var acceptor: QUICServerAcceptor
    private var peers: [Peer] = []
    private var context: ChannelHandlerContext?
    private var awaited: EventLoopPromise<Void>?

    init(tls: QUICTLSContext, alpn: String = "mqtt") {
        var configuration = QUICConfiguration(alpn: [alpn])
        configuration.maxBidiStreams = 10
        acceptor = QUICServerAcceptor(configuration: configuration, tls: tls)
    }

    /// Forgets all connections, as after a restart: their datagrams belong to no connection from now on.
    func forget() {
        for peer in peers { peer.timer?.cancel() }
        peers.removeAll()
    }

    /// Closes all connections with this code, as a broker does that shuts down in order.
    func end(_ code: UInt64) {
        for peer in peers {
            peer.connection.close(applicationCode: code, reason: "", at: .now())
            if let context { settle(peer, context) }
        }
        forget()
    }

    /// Returns a future that succeeds when the next client connects.
    func nextClient(on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = awaited ?? loop.makePromise()
        awaited = promise
        return promise.futureResult
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let local = context.localAddress else { return }
        let envelope = unwrapInboundIn(data)
        let now = NIODeadline.now()
        if let peer = peer(of: envelope.data) {
            peer.connection.receive(envelope.data, from: envelope.remoteAddress, to: local, at: now)
            return settle(peer, context)
        }
        switch acceptor.decide(envelope.data, from: envelope.remoteAddress, to: local, at: now) {
        case .accept(let incoming):
            guard let connection = try? QUICConnection.server(accepting: incoming, now: now) else { return }
            let peer = Peer(connection)
            peers.append(peer)
            settle(peer, context)
            awaited?.succeed()
            awaited = nil
        case .reply(let datagram):
            write(datagram, context)
            context.flush()
        case .ignore:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        forget()
    }

    private func peer(of datagram: ByteBuffer) -> Peer? {
        guard let id = QUICPacketHeader.destinationConnectionID(of: datagram) else { return nil }
        return peers.first { $0.connection.connectionIDs.contains(id) }
    }

    private func settle(_ peer: Peer, _ context: ChannelHandlerContext) {
        let connection = peer.connection
        while let event = connection.nextEvent() {
            guard case .streamData(let stream, let bytes, let fin) = event else { continue }
            connection.consumed(stream, bytes: bytes.readableBytes)
            connection.write(stream, bytes, fin: fin)
        }
        while let datagram = connection.nextDatagram(at: .now()) { write(datagram, context) }
        context.flush()
        peer.timer?.cancel()
        guard let deadline = connection.deadline else { return }
        peer.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] () -> Void in
            guard let self, peers.contains(where: { $0 === peer }) else { return }
            connection.handleDeadline(at: .now())
            settle(peer, context)
        }
    }

    private func write(_ datagram: QUICDatagram, _ context: ChannelHandlerContext) {
        context.write(
            wrapOutboundOut(AddressedEnvelope(remoteAddress: datagram.remote, data: datagram.bytes)), promise: nil)
    }
}

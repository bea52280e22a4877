import NIOCore
import NIOPosix

@testable import QUICTransport

/// A QUIC server on a loopback socket that sends back what it gets on streams, and can forget its connection.
final class QUICEchoServer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private var acceptor: QUICServerAcceptor
    private var connection: QUICConnection?
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(tls: QUICTLSContext, alpn: String = "mqtt") {
        var configuration = QUICConfiguration(alpn: [alpn])
        configuration.maxBidiStreams = 10
        acceptor = QUICServerAcceptor(configuration: configuration, tls: tls)
    }

    /// As after a restart: from now on its datagrams belong to nobody.
    func forget() {
        timer?.cancel()
        connection = nil
    }

    /// As a broker that goes away in order, with this code.
    func end(_ code: UInt64) {
        connection?.close(applicationCode: code, reason: "", at: .now())
        if let context { settle(context) }
        forget()
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
        if let connection {
            connection.receive(envelope.data, from: envelope.remoteAddress, to: local, at: now)
        } else {
            switch acceptor.decide(envelope.data, from: envelope.remoteAddress, to: local, at: now) {
            case .accept(let incoming): connection = try? QUICConnection.server(accepting: incoming, now: now)
            case .reply(let datagram): write(datagram, context)
            case .ignore: break
            }
        }
        settle(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    private func settle(_ context: ChannelHandlerContext) {
        guard let connection else { return context.flush() }
        while let event = connection.nextEvent() {
            guard case .streamData(let stream, let bytes, let fin) = event else { continue }
            connection.consumed(stream, bytes: bytes.readableBytes)
            connection.write(stream, bytes, fin: fin)
        }
        while let datagram = connection.nextDatagram(at: .now()) { write(datagram, context) }
        context.flush()
        timer?.cancel()
        guard let deadline = connection.deadline else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] () -> Void in
            connection.handleDeadline(at: .now())
            self?.settle(context)
        }
    }

    private func write(_ datagram: QUICDatagram, _ context: ChannelHandlerContext) {
        context.write(
            wrapOutboundOut(AddressedEnvelope(remoteAddress: datagram.remote, data: datagram.bytes)), promise: nil)
    }
}

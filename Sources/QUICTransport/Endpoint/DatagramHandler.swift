import NIOCore

/// The only handler of a socket's channel. It hands everything to the endpoint and keeps nothing.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let endpoint: NIOLoopBound<QUICEndpoint>
    private let socket: NIOLoopBound<EndpointSocket>

    init(endpoint: NIOLoopBound<QUICEndpoint>, socket: NIOLoopBound<EndpointSocket>) {
        self.endpoint = endpoint
        self.socket = socket
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        endpoint.value.received(envelope.data, from: envelope.remoteAddress, on: socket.value)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endpoint.value.readBurstEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { endpoint.value.flush() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        endpoint.value.socketClosed(socket.value)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        socket.value.failed(error)
    }
}

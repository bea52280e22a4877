import NIOCore

/// The socket's end of the pipeline: hands everything to the endpoint and keeps nothing.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let endpoint: NIOLoopBound<QUICEndpoint>

    init(endpoint: NIOLoopBound<QUICEndpoint>) {
        self.endpoint = endpoint
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        endpoint.value.received(envelope.data, from: envelope.remoteAddress)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endpoint.value.readBurstEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { endpoint.value.flush() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        endpoint.value.socketClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        endpoint.value.socketFailed(error)
    }
}

import NIOCore

/// The only handler of a socket's channel. It hands everything to the endpoint, and adapts the size of reads.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let endpoint: NIOLoopBound<QUICEndpoint>
    private let socket: NIOLoopBound<EndpointSocket>
    private var readSize = ReadSize()

    init(endpoint: NIOLoopBound<QUICEndpoint>, socket: NIOLoopBound<EndpointSocket>) {
        self.endpoint = endpoint
        self.socket = socket
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        readSize.received()
        endpoint.value.received(
            envelope.data, from: envelope.remoteAddress, at: envelope.metadata?.packetInfo, on: socket.value)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if let size = readSize.readEnded() { DatagramSocket.setReadSize(size, of: context.channel) }
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

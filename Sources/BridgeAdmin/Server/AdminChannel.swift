import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// One connection of the admin endpoint: Hummingbird's, with handlers of our own before and after the parser.
///
/// ```
/// socket -> RequestGate -> HTTP parser -> HeadCheck -> codec -> ConnectionGuard -> Hummingbird
/// ```
struct AdminChannel: ServerChildChannel {
    /// Bytes that are read from the socket at once.
    private static let readSize = 4 * 1024

    private let http: HTTP1Channel

    init(
        _ responder: @escaping HTTPChannelHandler.Responder, _ limits: AdminLimits,
        _ book: NIOLoopBound<ConnectionBook>
    ) {
        http = HTTP1Channel(
            responder: responder,
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionGuard(book.value)],
                httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                    maxHeaderFieldSize: limits.headerField, maxHeaderListSize: limits.headers,
                    maxHeaderFieldCount: limits.headerCount)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            if let options = channel.syncOptions {
                try options.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readSize))
                try options.setOption(.maxMessagesPerRead, value: 1)
            }
            let pipeline = channel.pipeline.syncOperations
            let guardian = try pipeline.handler(type: ConnectionGuard.self)
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let gate = RequestGate(guardian)
            guardian.gate = gate
            try pipeline.addHandler(HeadCheck(), position: .after(parser))
            try pipeline.addHandler(gate, position: .first)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await http.handle(value: value, logger: logger)
    }
}

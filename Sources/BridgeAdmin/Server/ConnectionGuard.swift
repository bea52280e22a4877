import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Keeps one connection of the admin endpoint within the limits: the size of requests, and the time that a client takes.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let book: ConnectionBook
    private(set) var watch = ConnectionWatch(at: .now())
    private var context: ChannelHandlerContext?
    /// Whether the answer under way is the last one.
    private var isLast = false

    init(_ book: ConnectionBook) {
        self.book = book
    }

    /// Closes the connection, whatever is under way.
    func close() {
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        book.remove(self)
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        book.remove(self)
        context.fireChannelInactive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        watch = ConnectionWatch(at: .now())
        guard !book.admit(self) else { return }
        refuse(.serviceUnavailable, "too many connections: at most \(book.limits.connections) at once", context)
        context.close(promise: nil)
    }

    // MARK: - Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Once the last answer is out, nothing is read any more.
        guard !watch.isLeaving else { return }
        switch unwrapInboundIn(data) {
        case .head:
            watch.requestBegan(at: .now())
        case .body(let buffer):
            // What is beyond the limit is dropped. The answer says so; see ``RequestCheck``.
            guard watch.bodyCame(buffer.readableBytes, limit: 4 * book.limits.body) else { return }
        case .end:
            watch.requestEnded()
        }
        context.fireChannelRead(data)
    }

    /// What is no HTTP request gets an answer that says so, and the end of the connection.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is IOError || error is ChannelError || watch.unanswered > 0 || watch.isLeaving {
            return context.fireErrorCaught(error)
        }
        let limits = book.limits
        refuse(
            .badRequest,
            "this is no HTTP/1.1 request, or its head is too large: at most \(limits.headerField) bytes for one field, "
                + "\(limits.headers) for all, and \(limits.headerCount) fields", context)
        watch.leaves()
        context.close(mode: .output, promise: nil)
    }

    private func refuse(_ status: HTTPResponse.Status, _ message: String, _ context: ChannelHandlerContext) {
        let response = Answer.error(status, message)
        var head = response.head
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(Answer.text(of: message))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    // MARK: - Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isLast = head.headerFields[.connection] == "close"
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            watch.answered(at: .now())
            guard isLast else { return context.write(data, promise: promise) }
            watch.leaves()
            context.writeAndFlush(data, promise: promise)
            context.close(mode: .output, promise: nil)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch.becameWritable(context.channel.isWritable, at: .now())
        context.fireChannelWritabilityChanged()
    }
}

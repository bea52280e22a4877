import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Keeps one connection of the admin endpoint within the limits: the size of requests, and the time that a client takes.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler, RequestTaker {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let book: ConnectionBook
    private(set) var watch = ConnectionWatch(at: .now())
    private var context: ChannelHandlerContext?
    /// The client's IP address.
    private(set) var address: String?
    /// Holds back further requests.
    var gate: RequestGate?
    /// Whether the answer under way is the last one.
    private var isLast = false
    /// The client has said that this request is its last one [RFC 9112 9.6].
    private var isLastRequest = false

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
        gate = nil
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
        address = context.channel.remoteAddress?.ipAddress
        guard let refusal = book.refusal(of: self) else { return }
        refuse(AdminError(.serviceUnavailable, refusal), context)
        context.close(promise: nil)
    }

    // MARK: - Requests

    /// One request at a time, and the next one only when the answer is on its way. What comes after the last one is
    /// dropped here.
    var takesRequests: Bool {
        if watch.isLeaving || watch.isReading { return true }
        return watch.unanswered == 0 && context?.channel.isWritable == true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Once the last answer is out, nothing is read any more.
        guard !watch.isLeaving else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            watch.requestBegan(at: .now())
            isLastRequest = Self.closes(head.headerFields)
            if RequestCheck.awaitsContinue(head, bodyLimit: book.limits.body) {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
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
        if let error = error as? HeadProblem {
            refuse(error.problem, isBodiless: error.isBodiless, context)
        } else {
            let limits = book.limits
            refuse(
                AdminError(
                    .badRequest,
                    "this is no HTTP/1.1 request, or its head is too large: at most \(limits.headerField) bytes for one "
                        + "field, \(limits.headers) for all, and \(limits.headerCount) fields"), context)
        }
        watch.leaves()
        context.close(mode: .output, promise: nil)
    }

    private func refuse(_ problem: AdminError, isBodiless: Bool = false, _ context: ChannelHandlerContext) {
        var head = problem.response.head
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isBodiless { context.write(wrapOutboundOut(.body(Answer.text(of: problem.message))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private static func closes(_ fields: HTTPFields) -> Bool {
        fields[.connection]?.lowercased().split { ", \t".contains($0) }.contains("close") == true
    }

    // MARK: - Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if isLastRequest { head.headerFields[.connection] = "close" }
            isLast = Self.closes(head.headerFields)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
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

    func flush(context: ChannelHandlerContext) {
        context.flush()
        gate?.goOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch.becameWritable(context.channel.isWritable, at: .now())
        context.fireChannelWritabilityChanged()
        gate?.goOn()
    }
}

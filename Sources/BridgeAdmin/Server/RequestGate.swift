import NIOCore

/// Says whether another request of a connection may be parsed.
protocol RequestTaker: AnyObject {
    /// Whether there is neither an answer that is still to come nor one that the client has not read.
    var takesRequests: Bool { get }
}

/// Parses one request at a time. A client that sends many at once (pipelining, RFC 9112 9.3.2) has to wait with the rest
/// until it has read the answer to the first one: the bytes stay in the socket, except for those of one read.
///
/// It stands before the parser, and passes bytes on line by line. A request without a body ends with a line, so at most
/// one request is parsed although the next ones are in the same read; after a body it may be the beginning of one more.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Bytes that may wait here. More than one read comes only if the client ends its side: then the system hands out
    /// everything that is left.
    static let limit = 64 * 1024

    private weak var taker: (any RequestTaker)?
    private var context: ChannelHandlerContext?
    private var held = ByteBuffer()
    private var isPassing = false
    private var isReadAwaited = false
    /// The client has ended its side; told once everything before it was passed on.
    private var endAwaited: ChannelEvent?

    init(_ taker: any RequestTaker) {
        self.taker = taker
    }

    /// Goes on if the next request may be parsed now.
    func goOn() {
        guard let context else { return }
        pass(context)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        held = ByteBuffer()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard held.readableBytes + bytes.readableBytes <= Self.limit else {
            held = ByteBuffer()
            return context.close(promise: nil)
        }
        if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
        pass(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed, held.readableBytes > 0 {
            endAwaited = event
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func read(context: ChannelHandlerContext) {
        isReadAwaited = true
        readOn(context)
    }

    private func pass(_ context: ChannelHandlerContext) {
        // Passing a line on may bring an answer at once, and with it another call.
        guard !isPassing else { return }
        isPassing = true
        var hasPassed = false
        while self.context != nil, taker?.takesRequests == true, let line = nextLine() {
            context.fireChannelRead(wrapInboundOut(line))
            hasPassed = true
        }
        isPassing = false
        guard self.context != nil else { return }
        if hasPassed { context.fireChannelReadComplete() }
        guard held.readableBytes == 0 else { return }
        held = ByteBuffer()
        if let event = endAwaited {
            endAwaited = nil
            context.fireUserInboundEventTriggered(event)
        }
        readOn(context)
    }

    /// Up to the end of a line, or everything if there is no end.
    private func nextLine() -> ByteBuffer? {
        guard held.readableBytes > 0 else { return nil }
        let bytes = held.readableBytesView
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.endIndex
        return held.readSlice(length: end - bytes.startIndex)
    }

    private func readOn(_ context: ChannelHandlerContext) {
        guard isReadAwaited, held.readableBytes == 0, taker?.takesRequests == true else { return }
        isReadAwaited = false
        context.read()
    }
}

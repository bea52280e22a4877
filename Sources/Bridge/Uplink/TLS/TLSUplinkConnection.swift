import BridgeCore
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import QUICTransport

/// Told what becomes of a TLS connection before it carries anything, and when it is over.
protocol TLSUplinkConnectionOwner: AnyObject {
    /// The broker is verified.
    func tlsReady(_ connection: TLSUplinkConnection)
    /// The broker could not be reached or verified; the connection is over.
    func tlsFailed(_ connection: TLSUplinkConnection, _ error: TLSUplinkError)
    /// A connection that had been ready is over. Called before its leg is told.
    ///
    /// - Parameter isLost: The network took it.
    func tlsEnded(_ connection: TLSUplinkConnection, isLost: Bool)
}

/// One device's MQTT over TLS over TCP: the leg on it has the connection for itself.
///
/// ```
/// dialing --> handshaking --verified--> ready --(our FIN: close_notify)--> finishing
///    |             |                      |                                    |
///    +-------------+----------------------+--------------> closed <------------+
/// ```
/// Nothing is read that there is no room for: what the device has not taken is bounded by `limits.session_buffer` and one
/// read. TCP tells nothing of what arrived, so `bufferedBytes` counts what the kernel has not taken; with its own buffer
/// full that is as good a measure. How an end is understood:
/// - TLS's close_notify is the broker's word: the end of its stream.
/// - A TCP end without it, or a reset, is a process that died or somebody who cut the connection: the network's. After our
///   own end it makes no difference, since brokers close as soon as they have read DISCONNECT.
///
/// Confined to its event loop.
final class TLSUplinkConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case dialing
        case handshaking(any Channel)
        case ready(any Channel)
        /// Our end is on its way.
        case finishing(any Channel)
        case closed
    }

    private var state = State.dialing
    private weak var owner: (any TLSUplinkConnectionOwner)?
    private let words: TLSUplinkWords
    /// Bytes that the broker may send before the device has taken any.
    private let window: Int
    private weak var tls: NIOSSLClientHandler?
    private var leg: UplinkLeg?
    private let deadline: Timer
    /// Called where it comes to its end while its dialer has not got it a channel yet.
    var givenUp: (() -> Void)?
    /// Bytes that the kernel has not taken.
    private var unwritten = 0
    private var isFlushScheduled = false
    /// Bytes that the device has not taken.
    private var unconsumed = 0
    /// A read is under way.
    private var isReading = false
    private var hasBrokerClosed = false
    private var failure: (any Error)?

    /// - Parameter window: Bytes.
    init(owner: any TLSUplinkConnectionOwner, words: TLSUplinkWords, window: Int, eventLoop: any EventLoop) {
        self.deadline = Timer(on: eventLoop)
        self.owner = owner
        self.words = words
        self.window = window
    }

    /// Gives it to the leg, which hears so from within.
    func carry(_ leg: UplinkLeg) {
        guard case .ready = state, self.leg == nil else {
            preconditionFailure("a TLS connection carries one leg, from when it is ready")
        }
        self.leg = leg
        leg.opened(on: self, Self.stream)
    }

    /// Closes it now, without a word to its leg.
    func close() {
        let previous = state
        state = .closed
        leg = nil
        deadline.cancel()
        switch previous {
        case .dialing:
            givenUp?()
            givenUp = nil
        case .closed:
            break
        case .handshaking(let channel):
            abort(channel)
        case .ready(let channel), .finishing(let channel):
            // TLS's own end, for which the handler waits for a few seconds at most.
            channel.flush()
            channel.close(promise: nil)
        }
    }

    /// The only one there is.
    private static let stream = QUICStreamID(rawValue: 0)

    private var channel: (any Channel)? {
        switch state {
        case .handshaking(let channel), .ready(let channel), .finishing(let channel): channel
        case .dialing, .closed: nil
        }
    }

    /// A TCP reset: what is under way is void, and the broker learns at once that nobody is there.
    private func abort(_ channel: any Channel) {
        _ = (channel as? any SocketOptionProvider)?.setSoLinger(.init(l_onoff: 1, l_linger: 0))
        // Past the TLS handler, which would wait for the broker's farewell.
        if let tls, let context = try? channel.pipeline.syncOperations.context(handler: tls) {
            context.close(promise: nil)
        } else {
            channel.close(promise: nil)
        }
    }
}

// MARK: - For the dialer

extension TLSUplinkConnection {
    var isDialing: Bool {
        if case .dialing = state { true } else { false }
    }

    /// It has until then to be ready.
    func limit(by deadline: NIODeadline, of patience: Duration) {
        self.deadline.arm(at: deadline) { [weak self] in
            guard let self else { return }
            if case .handshaking = state {
                fail(words.handshakeTimeout(patience))
            } else {
                fail(words.noAnswer(patience))
            }
        }
    }

    /// TCP is there: TLS begins.
    func connected(_ channel: any Channel, tls: NIOSSLClientHandler) {
        guard case .dialing = state else { return channel.close(promise: nil) }
        state = .handshaking(channel)
        self.tls = tls
        do {
            try channel.pipeline.syncOperations.addHandlers([tls, self])
        } catch {
            return fail(words.error(error, certificate: nil))
        }
        readIfRoom()
    }

    func fail(_ error: TLSUplinkError) {
        switch state {
        case .dialing, .handshaking: break
        case .ready, .finishing, .closed: return
        }
        let channel = channel
        state = .closed
        deadline.cancel()
        if let channel { abort(channel) } else { givenUp?() }
        givenUp = nil
        owner?.tlsFailed(self, error)
    }
}

// MARK: - For the leg

extension TLSUplinkConnection: UplinkCarrier {
    var limits: GatewayLimits? { nil }

    func bufferedBytes(_ stream: QUICStreamID) -> Int { unwritten }

    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        guard case .ready(let channel) = state else { return }
        if let bytes, bytes.readableBytes > 0 { write(bytes, on: channel) }
        guard fin else { return }
        state = .finishing(channel)
        // Behind everything written: the handler flushes that first.
        channel.close(mode: .output, promise: nil)
    }

    private func write(_ bytes: ByteBuffer, on channel: any Channel) {
        let count = bytes.readableBytes
        unwritten += count
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            unwritten -= count
            leg?.drained()
        }
        channel.pipeline.syncOperations.write(NIOAny(bytes), promise: written)
        flushSoon(channel)
    }

    /// One system call, and mostly one TLS record sequence, for all that one event brings.
    private func flushSoon(_ channel: any Channel) {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        channel.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            if let channel = self.channel { channel.flush() }
        }
    }

    func consumed(_ stream: QUICStreamID, _ bytes: Int) {
        unconsumed -= bytes
        readIfRoom()
    }

    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool) {
        leg = nil
        switch state {
        case .ready(let channel):
            state = .closed
            abort(channel)
        case .finishing(let channel):
            // What was sent last, DISCONNECT, is not to be lost.
            state = .closed
            channel.close(promise: nil)
        case .dialing, .handshaking, .closed:
            break
        }
    }

    private func readIfRoom() {
        guard !isReading, unconsumed < window, let channel else { return }
        isReading = true
        channel.read()
    }
}

// MARK: - The channel

extension TLSUplinkConnection {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let leg else { return }
        unconsumed += bytes.readableBytes
        leg.received(bytes, isEnd: false)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        readIfRoom()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? TLSUserEvent {
        case .handshakeCompleted?:
            guard case .handshaking(let channel) = state else { break }
            state = .ready(channel)
            deadline.cancel()
            owner?.tlsReady(self)
        case .shutdownCompleted?:
            hasBrokerClosed = true
        case nil:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .dialing, .handshaking:
            fail(words.error(error, certificate: tls?.peerCertificate))
        case .ready, .finishing, .closed:
            // The end without close_notify is told last, and says less than what led to it.
            if failure == nil { failure = error }
            if let channel { abort(channel) } else { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let previous = state
        state = .closed
        deadline.cancel()
        let leg = leg
        self.leg = nil
        switch previous {
        case .dialing, .handshaking:
            state = previous
            fail(words.error(NIOSSLError.uncleanShutdown, certificate: nil))
        case .ready where !hasBrokerClosed || failure != nil:
            owner?.tlsEnded(self, isLost: true)
            leg?.lost(words.loss(failure))
        case .ready, .finishing:
            owner?.tlsEnded(self, isLost: false)
            leg?.received(ByteBuffer(), isEnd: true)
        case .closed:
            owner?.tlsEnded(self, isLost: false)
        }
        context.fireChannelInactive()
    }
}

import BridgeCore
import NIOCore
import NIOPosix
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Is told what happens on a TCP connection to the broker, on the connection's event loop.
protocol BrokerLegObserver: AnyObject {
    func brokerConnected()
    /// The connection could not be made. No other call follows.
    func brokerUnreachable(_ why: String)
    func brokerSent(_ bytes: ByteBuffer)
    /// The broker sent FIN, or closed the connection.
    func brokerEnded()
    /// The connection broke. No other call follows.
    /// - Parameter byBroker: The broker's system reset the connection.
    func brokerFailed(_ why: String, byBroker: Bool)
}

/// The TCP connection of one session to the broker.
///
/// The owner controls reading with `pause()` and `resume()`. After `finish()` or `abort()` the owner may release the
/// leg, which completes its end by itself.
final class BrokerLeg: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long the broker may take to end its side after our FIN, or after it last took bytes.
    private static let linger = TimeAmount(StreamRelay.brokerPatience)

    private enum State {
        case connecting
        case open(any Channel)
        /// Our FIN has been sent, or follows the last write.
        case finishing(any Channel)
        case closed
    }

    let startedAt = NIODeadline.now()
    private var state = State.connecting
    private weak var observer: (any BrokerLegObserver)?
    /// How many promises are at writes that the broker's socket has not taken.
    private var unwritten = 0
    /// Whether no promise is behind the last write.
    private var isLastUnwatched = false
    /// Whether a write is being handed to the channel.
    private var isWriting = false
    /// Aborts the connection if the broker does not end its side; runs from `finish()` on.
    private var lingering: Timer?
    private var hasBrokerEnded = false
    private var isPaused = false
    private var isReadHeldBack = false
    private var failure: (any Error)?

    init(observer: any BrokerLegObserver) {
        self.observer = observer
    }

    // MARK: - For the owner

    func send(_ bytes: ByteBuffer) {
        guard case .open(let channel) = state else { return }
        isLastUnwatched = true
        write(bytes, nil, to: channel)
    }

    /// - Parameter taken: Called when the broker's socket has the bytes and those sent before, or when it is certain never
    ///   to get them.
    func send(_ bytes: ByteBuffer, taken: @escaping () -> Void) {
        guard case .open(let channel) = state else { return taken() }
        write(bytes, to: channel, taken: taken)
    }

    private func write(_ bytes: ByteBuffer, to channel: any Channel, taken: @escaping () -> Void) {
        unwritten += 1
        isLastUnwatched = false
        let promise = channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [weak self] result in
            // The channel reports a failed write nowhere else: it just closes.
            if case .failure(let error as IOError) = result { self?.failure = error }
            taken()
            self?.written()
        }
        write(bytes, promise, to: channel)
    }

    private func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?, to channel: any Channel) {
        isWriting = true
        channel.pipeline.syncOperations.writeAndFlush(NIOAny(bytes), promise: promise)
        isWriting = false
    }

    /// Sends FIN after everything that was sent before, and waits a limited time for the broker's own FIN.
    func finish() {
        guard case .open(let channel) = state else {
            if case .connecting = state { state = .closed }
            return
        }
        state = .finishing(channel)
        linger(channel)
        // An empty write shows when the socket has taken everything before it.
        if isLastUnwatched { write(ByteBuffer(), to: channel) {} } else if unwritten == 0 { closeOutput(channel) }
    }

    /// Resets the TCP connection: the broker loses what it has not read yet.
    func abort() {
        observer = nil
        switch state {
        case .connecting:
            state = .closed
        case .open(let channel), .finishing(let channel):
            state = .closed
            _ = (channel as? any SocketOptionProvider)?.setSoLinger(.init(l_onoff: 1, l_linger: 0))
            channel.close(promise: nil)
        case .closed:
            break
        }
    }

    /// The owner is no longer interested: further bytes from the broker are read and dropped.
    func detach() {
        observer = nil
        resume()
    }

    private func linger(_ channel: any Channel) {
        let timer = lingering ?? Timer(on: channel.eventLoop)
        lingering = timer
        timer.arm(in: Self.linger) { [weak self] in self?.abort() }
    }

    /// Reads nothing more until ``resume()``.
    func pause() {
        isPaused = true
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        guard isReadHeldBack, let channel else { return }
        isReadHeldBack = false
        channel.read()
    }

    private var channel: (any Channel)? {
        switch state {
        case .open(let channel), .finishing(let channel): channel
        case .connecting, .closed: nil
        }
    }

    /// The broker's address; `nil` while there is no connection.
    var remoteAddress: SocketAddress? { channel?.remoteAddress }

    private func written() {
        unwritten -= 1
        guard case .finishing(let channel) = state else { return }
        linger(channel)
        if unwritten == 0 { closeOutput(channel) }
    }

    private func closeOutput(_ channel: any Channel) {
        if hasBrokerEnded { channel.close(promise: nil) } else { channel.close(mode: .output, promise: nil) }
    }

    // MARK: - For the connector

    /// Whether the session still waits for the connection; `false` if it ended before there was one.
    var isWanted: Bool {
        if case .connecting = state { true } else { false }
    }

    func connected(_ channel: any Channel) {
        guard case .connecting = state else {
            _ = (channel as? any SocketOptionProvider)?.setSoLinger(.init(l_onoff: 1, l_linger: 0))
            return channel.close(promise: nil)
        }
        do {
            try channel.pipeline.syncOperations.addHandler(self)
        } catch {
            channel.close(promise: nil)
            return unreachable("\(error)")
        }
        state = .open(channel)
        observer?.brokerConnected()
        self.channel?.read()
    }

    func unreachable(_ why: String) {
        guard case .connecting = state else { return }
        state = .closed
        let observer = observer
        self.observer = nil
        observer?.brokerUnreachable(why)
    }

    // MARK: - The channel

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        observer?.brokerSent(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard !hasBrokerEnded else { return }
        if isPaused { isReadHeldBack = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, !hasBrokerEnded {
            hasBrokerEnded = true
            observer?.brokerEnded()
            if case .finishing(let channel) = state, unwritten == 0 { channel.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        lingering = nil
        state = .closed
        let observer = observer
        self.observer = nil
        if let failure {
            observer?.brokerFailed(failure.inWords, byBroker: Self.isReset(failure))
        } else if isWriting, !hasBrokerEnded {
            // The channel says why a write failed only to the promise of a write, and this one may have had none. A
            // connection that can't be written to was reset, unless the broker's machine is gone; whoever treats it as
            // reset looks whether the broker is there.
            observer?.brokerFailed("the connection broke during a write", byBroker: true)
        } else if !hasBrokerEnded {
            observer?.brokerEnded()
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = error
        context.close(promise: nil)
    }

    private static func isReset(_ error: any Error) -> Bool {
        guard let error = error as? IOError else { return false }
        return error.errnoCode == ECONNRESET || error.errnoCode == EPIPE
    }
}

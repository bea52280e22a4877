import NIOCore
import NIOPosix
import NIOSSL
import QUICTransport

/// A client's byte stream over TLS over TCP.
///
/// ```
/// dialing --> handshaking --verified--> ready --(our FIN: close_notify)--> finishing
///    |             |                      |                                    |
///    +-------------+----------------------+--------------> closed <------------+
/// ```
/// Nothing is read without room for it: what the owner has not taken is bounded by the window and one read. TCP does
/// not report what has arrived, so ``backlog`` counts what the kernel has not taken, which is as good a measure once the
/// kernel's own buffer is full. The ends of a connection mean this:
/// - TLS's close_notify is the end of the server's stream.
/// - A TCP end without it, or a reset, is a loss to the network: a process died, or something on the way cut the
///   connection. After our own end this makes no difference, because brokers close as soon as they have read
///   DISCONNECT.
///
/// Confined to its event loop.
package final class TLSConnection: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum State {
        case dialing
        case handshaking(any Channel)
        case ready(any Channel)
        /// Our close_notify is under way.
        case finishing(any Channel)
        case closed
    }

    var state = State.dialing
    /// Not retained. Without one, what comes is discarded.
    package weak var observer: (any TLSConnectionObserver)?
    package let words: TLSWords
    /// How many bytes the server may send before the owner has taken any.
    private let window: Int
    weak var tls: NIOSSLClientHandler?
    let deadline: Timer
    /// Runs if the connection ends before it has a channel.
    package var givenUp: (() -> Void)?
    /// Bytes that the kernel has not taken yet.
    package private(set) var backlog = 0
    private var isFlushScheduled = false
    /// Bytes that the owner has not taken yet.
    var unconsumed = 0
    package var lastReceived = NIODeadline.now()
    /// Whether a read is under way.
    var isReading = false
    var hasPeerClosed = false
    var failure: (any Error)?

    /// - Parameter window: How many bytes the server may send before the owner has taken any.
    package init(
        words: TLSWords, window: Int, observer: (any TLSConnectionObserver)? = nil, eventLoop: any EventLoop
    ) {
        self.deadline = Timer(on: eventLoop)
        self.observer = observer
        self.words = words
        self.window = window
    }

    /// Ends the connection without telling the observer; TLS ends in order.
    package func close() {
        let previous = state
        state = .closed
        observer = nil
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
            // This ends TLS in order, for which the handler waits for a few seconds at most.
            channel.flush()
            channel.close(promise: nil)
        }
    }

    /// Ends the connection without telling the observer. If nothing has ended it in order before, what is under way is
    /// discarded, and the server learns at once that the client is gone.
    package func leave() {
        switch state {
        case .ready(let channel):
            state = .closed
            abort(channel)
        case .finishing(let channel):
            // The last packet sent, DISCONNECT, must not be lost.
            state = .closed
            channel.close(promise: nil)
        case .dialing, .handshaking, .closed:
            break
        }
    }

    var channel: (any Channel)? {
        switch state {
        case .handshaking(let channel), .ready(let channel), .finishing(let channel): channel
        case .dialing, .closed: nil
        }
    }

    /// Resets the TCP connection.
    func abort(_ channel: any Channel) {
        _ = (channel as? any SocketOptionProvider)?.setSoLinger(.init(l_onoff: 1, l_linger: 0))
        // This bypasses the TLS handler, which would wait for the server's close_notify.
        if let tls, let context = try? channel.pipeline.syncOperations.context(handler: tls) {
            context.close(promise: nil)
        } else {
            channel.close(promise: nil)
        }
    }
}

// MARK: - The handshake

extension TLSConnection {
    package var isDialing: Bool {
        if case .dialing = state { true } else { false }
    }

    package var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    /// The addresses of a connection that is ready.
    package var addresses: (remote: SocketAddress?, local: SocketAddress?)? {
        guard case .ready(let channel) = state else { return nil }
        return (channel.remoteAddress, channel.localAddress)
    }

    /// The connection fails unless it is ready by then.
    package func limit(by deadline: NIODeadline, of patience: Duration) {
        self.deadline.arm(at: deadline) { [weak self] in
            guard let self else { return }
            if case .handshaking = state {
                fail(words.handshakeTimeout(patience))
            } else {
                fail(words.noAnswer(patience))
            }
        }
    }

    /// TCP is connected, so TLS begins.
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

    /// Ends a connection that is not ready yet.
    package func fail(_ failure: TLSFailure) {
        switch state {
        case .dialing, .handshaking: break
        case .ready, .finishing, .closed: return
        }
        let channel = channel
        state = .closed
        deadline.cancel()
        if let channel { abort(channel) } else { givenUp?() }
        givenUp = nil
        observer?.tlsFailed(self, failure)
    }
}

// MARK: - Bytes

extension TLSConnection {
    /// Queues bytes, and the stream's end if `fin` is true. Does nothing unless the connection is ready.
    package func write(_ bytes: ByteBuffer?, fin: Bool) {
        guard case .ready(let channel) = state else { return }
        if let bytes, bytes.readableBytes > 0 { write(bytes, on: channel) }
        guard fin else { return }
        state = .finishing(channel)
        // This comes after everything written, which the handler flushes first.
        channel.close(mode: .output, promise: nil)
    }

    private func write(_ bytes: ByteBuffer, on channel: any Channel) {
        let count = bytes.readableBytes
        backlog += count
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            backlog -= count
            observer?.tlsDrained(self)
        }
        channel.pipeline.syncOperations.write(NIOAny(bytes), promise: written)
        flushSoon(channel)
    }

    /// Sends everything that one event brings with one system call, and usually one sequence of TLS records.
    private func flushSoon(_ channel: any Channel) {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        channel.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            if let channel = self.channel { channel.flush() }
        }
    }

    /// The owner has taken these bytes: the server may send as many again.
    package func consumed(_ bytes: Int) {
        unconsumed -= bytes
        readIfRoom()
    }

    func readIfRoom() {
        guard !isReading, unconsumed < window, let channel else { return }
        isReading = true
        channel.read()
    }
}

import BridgeCore
import NIOCore
import NIOPosix
import NIOSSL
import QUICTransport

/// Carries one device's MQTT over TLS over TCP: its leg has the connection to itself.
///
/// ```
/// dialing --> handshaking --verified--> ready --(our FIN: close_notify)--> finishing
///    |             |                      |                                    |
///    +-------------+----------------------+--------------> closed <------------+
/// ```
/// Nothing is read without room for it: what the device has not taken is bounded by `limits.session_buffer` and one
/// read. TCP does not report what has arrived, so `bufferedBytes` counts what the kernel has not taken, which is as
/// good a measure once the kernel's own buffer is full. The ends of a connection mean this:
/// - TLS's close_notify is the end of the broker's stream.
/// - A TCP end without it, or a reset, is a loss to the network: a process died, or something on the way cut the
///   connection. After our own end this makes no difference, because brokers close as soon as they have read
///   DISCONNECT.
///
/// Confined to its event loop.
final class TLSCarrier: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum State {
        case dialing
        case handshaking(any Channel)
        case ready(any Channel)
        /// Our close_notify is under way.
        case finishing(any Channel)
        case closed
    }

    let id: UplinkConnectionID
    var state = State.dialing
    weak var observer: (any UplinkCarrierObserver)?
    let words: TLSUplinkWords
    /// How many bytes the broker may send before the device has taken any.
    private let window: Int
    weak var tls: NIOSSLClientHandler?
    var leg: UplinkLeg?
    let deadline: Timer
    /// Runs if the connection ends before its dialer has a channel for it.
    var givenUp: (() -> Void)?
    /// Bytes that the kernel has not taken yet.
    private var unwritten = 0
    private var isFlushScheduled = false
    /// Bytes that the device has not taken yet.
    var unconsumed = 0
    var lastReceived = NIODeadline.now()
    /// Whether a read is under way.
    var isReading = false
    var hasBrokerClosed = false
    var failure: (any Error)?

    /// - Parameter window: How many bytes the broker may send before the device has taken any.
    init(
        _ id: UplinkConnectionID, observer: any UplinkCarrierObserver, words: TLSUplinkWords, window: Int,
        eventLoop: any EventLoop
    ) {
        self.id = id
        self.deadline = Timer(on: eventLoop)
        self.observer = observer
        self.words = words
        self.window = window
    }

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
            // This ends TLS in order, for which the handler waits for a few seconds at most.
            channel.flush()
            channel.close(promise: nil)
        }
    }

    /// The stream identifier that the leg is given.
    private static let stream = QUICStreamID(rawValue: 0)

    var channel: (any Channel)? {
        switch state {
        case .handshaking(let channel), .ready(let channel), .finishing(let channel): channel
        case .dialing, .closed: nil
        }
    }

    /// Resets the TCP connection: what is under way is discarded, and the broker learns at once that the device is
    /// gone.
    func abort(_ channel: any Channel) {
        _ = (channel as? any SocketOptionProvider)?.setSoLinger(.init(l_onoff: 1, l_linger: 0))
        // This bypasses the TLS handler, which would wait for the broker's close_notify.
        if let tls, let context = try? channel.pipeline.syncOperations.context(handler: tls) {
            context.close(promise: nil)
        } else {
            channel.close(promise: nil)
        }
    }
}

// MARK: - For the dialer

extension TLSCarrier {
    var isDialing: Bool {
        if case .dialing = state { true } else { false }
    }

    /// The connection fails unless it is ready by then.
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
        observer?.carrierFailed(self, UplinkConnectionEnd(why: "\(error)", failure: error.kind))
    }
}

// MARK: - For the leg

extension TLSCarrier: UplinkCarrier {
    var limits: GatewayLimits? { nil }

    /// TCP itself notices when nothing is acknowledged, and there are no streams to run out of. Whether the broker is silent
    /// is not known here: a connection that is given no second device anyway is never held back for it.
    var facts: UplinkConnectionFacts {
        UplinkConnectionFacts(availableStreams: isFree ? 1 : 0, isSilent: false)
    }

    private var isFree: Bool {
        if case .ready = state { leg == nil } else { false }
    }

    var endpointOverQUIC: UplinkEndpoint? { nil }

    var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    var report: UplinkCarrierReport? {
        guard case .ready(let channel) = state else { return nil }
        return UplinkCarrierReport(
            transport: "tls", mapping: UplinkConfiguration.Mapping.connection.rawValue, remote: channel.remoteAddress,
            local: channel.localAddress)
    }

    func openStream(for leg: UplinkLeg) -> Bool {
        guard isFree else { return false }
        self.leg = leg
        leg.opened(on: self, Self.stream)
        return true
    }

    func retire() { close() }

    func hurry() {}

    func doubt(at now: NIODeadline) {}

    func bufferedBytes(_ stream: QUICStreamID) -> Int { unwritten }

    /// What is in flight is not known.
    func backlog(_ stream: QUICStreamID, inFlight: Int) -> Int { unwritten }

    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        guard case .ready(let channel) = state else { return }
        if let bytes, bytes.readableBytes > 0 { write(bytes, on: channel) }
        guard fin else { return }
        state = .finishing(channel)
        // This comes after everything written, which the handler flushes first.
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

    /// Sends everything that one event brings with one system call, and usually one sequence of TLS records.
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
            // The last packet sent, DISCONNECT, must not be lost.
            state = .closed
            channel.close(promise: nil)
        case .dialing, .handshaking, .closed:
            break
        }
    }

    func readIfRoom() {
        guard !isReading, unconsumed < window, let channel else { return }
        isReading = true
        channel.read()
    }
}

import BridgeCore
import NIOCore
import QUICTransport

/// One QUIC connection to the broker and the legs on it: one device's only stream, or a stream each of many devices.
///
/// ```
/// dialing ---verified---> open --(the gateway's CONNACK)--> ready
///    |                     |                                 |
///    +---------------------+------------> closed <-----------+
/// ```
/// With early data one leg is on it while it is still dialed: see ``EarlyFlight``.
///
/// Confined to its event loop. Each leg's bytes have their own flow control, and the connection's window is as large as
/// those of all streams together: no device can use up what another one needs.
final class UplinkConnection {
    private enum State {
        /// Under way, which is the ``UplinkAttempt``'s business.
        case dialing
        case open(QUICConnectionHandle)
        case closed
    }

    /// A leg that is open before the connection is.
    private struct Early {
        let leg: UplinkLeg
        var flight = EarlyFlight()
        /// Where the leg's stream is; nil once that is of no use any more.
        var handle: QUICConnectionHandle?
        let stream: QUICStreamID
    }

    let endpoint: UplinkEndpoint
    /// After which the connection ends when nothing is heard.
    let idleTimeout: Duration
    private var state = State.dialing
    private var early: Early?
    private unowned let dialer: UplinkDialer
    weak var owner: (any UplinkConnectionOwner)?
    /// The gateway's session, whose data streams the other streams are.
    private let control: GatewayControl?
    private(set) var isReady = false {
        didSet { if isReady { readyAt = .now() } }
    }
    private var readyAt = NIODeadline.distantPast
    /// Of the gateway's session.
    private(set) var limits: GatewayLimits?
    private var legs: [QUICStreamID: UplinkLeg] = [:]
    /// What the server chose; nil before.
    private(set) var alpn: String?
    private var isBrokerOverloaded = false
    /// When the last device left it; as long as there was none, when it was made.
    private(set) var emptySince = NIODeadline.now()
    /// From when on the connection has to be heard again before it is given another device; nil where nothing speaks
    /// against it. See ``isSilent``.
    var doubtedSince: NIODeadline?
    /// Whether anything comes back on it.
    var path: PathWatch
    /// What is known of the broker while devices that have had no answer on it wait for anything to come.
    var newcomers: NewcomerWatch
    let paths: PathKeeper
    /// For the owner: whether a look at its emptiness is due.
    var isClosingScheduled = false

    init(
        to endpoint: UplinkEndpoint, idleTimeout: Duration, dialer: UplinkDialer, owner: any UplinkConnectionOwner,
        control: GatewayControl?
    ) {
        self.endpoint = endpoint
        self.idleTimeout = idleTimeout
        self.dialer = dialer
        self.owner = owner
        self.control = control
        self.paths = dialer.paths
        self.path = PathWatch(timeout: dialer.pathTimeout)
        self.newcomers = NewcomerWatch(connectTimeout: dialer.connectTimeout)
    }

    /// Several devices may have streams on it.
    var isShared: Bool { control != nil || alpn == UplinkConfiguration.Mapping.muxProtocol }

    /// Of devices.
    var legCount: Int { legs.count - (control?.isOnStream == true ? 1 : 0) }

    /// Streams that the broker lets us open now.
    var availableStreams: Int {
        if case .open(let handle) = state { handle.availableStreams } else { 0 }
    }

    /// Verified, with room for a device, and as far as is known alive.
    var isProven: Bool { isReady && !isSilent && availableStreams > 0 }

    /// Whether a device of that keepalive can be given it: MQTT's clock is to decide before QUIC's.
    func suits(_ keepAlive: Duration?) -> Bool { idleTimeout >= dialer.idleTimeout(for: keepAlive) }

    /// It has not been ready for long enough to be of use to anybody.
    var isYoung: Bool { isReady && readyAt + Self.youth > .now() }
    private static let youth = TimeAmount.seconds(1)

    /// Opens a stream for the leg and gives it to it. False where the broker allows none now; `connectionHasRoom` follows.
    func openStream(for leg: UplinkLeg) throws(QUICError) -> Bool {
        guard case .open(let handle) = state, let stream = try handle.openStream() else { return false }
        legs[stream] = leg
        leg.opened(on: self, stream)
        return true
    }

    /// Nobody is on it, and nobody shall be: ends it in order.
    func retire() {
        if let control, isReady { control.shutDown() } else { close() }
    }

    /// Closes it now, without a word to its legs.
    func close() {
        let previous = state
        state = .closed
        isReady = false
        early = nil
        legs.removeAll()
        control?.connectionClosed()
        switch previous {
        case .dialing: dialer.abandoned(self)
        case .open(let handle): handle.close()
        case .closed: break
        }
    }
}

// MARK: - For the attempt to make it

extension UplinkConnection {
    /// Opens the leg on a connection whose handshake has only begun: its first bytes go out as early data. False where
    /// that cannot be; the leg goes on waiting then.
    func startEarly(_ leg: UplinkLeg, on handle: QUICConnectionHandle) throws(QUICError) -> Bool {
        guard case .dialing = state, early == nil, let stream = try handle.openStream() else { return false }
        early = Early(leg: leg, handle: handle, stream: stream)
        legs[stream] = leg
        leg.opened(on: self, stream)
        return true
    }

    /// What went out there was not taken: it goes again once a handshake is through.
    func earlyDataLost(on handle: QUICConnectionHandle) {
        guard early?.handle === handle else { return }
        early?.handle = nil
        early?.flight.rejected()
    }

    /// The broker is verified.
    func established(on handle: QUICConnectionHandle, alpn: String) {
        guard case .dialing = state else { return handle.close() }
        state = .open(handle)
        self.alpn = alpn
        if let other = early?.handle, other !== handle { earlyDataLost(on: other) }
        paths.tried(handle.remoteAddress, of: endpoint)
        paths.answered(handle.remoteAddress, at: .now())
        resumeEarly(on: handle)
        if let control { return control.start(on: self) }
        isReady = true
        owner?.connectionReady(self)
    }

    /// No address of the broker worked.
    func failed(_ why: String, _ failure: CandidateChoice.Failure) {
        guard case .dialing = state else { return }
        let early = early
        state = .closed
        self.early = nil
        legs = [:]
        control?.connectionClosed()
        if var early {
            // Nobody has heard its CONNECT, or nobody can answer it any more: it may go another way now.
            early.flight.rejected()
            early.leg.comeBack(with: early.flight.release())
        }
        owner?.connectionFailed(self, UplinkConnectionEnd(why: why, failure: failure))
    }

    /// The leg that was early is one like any other from now on. Where what it sent was not taken, and the broker allows
    /// no stream yet, that waits.
    private func resumeEarly(on handle: QUICConnectionHandle) {
        guard var early else { return }
        var stream = early.stream
        if early.flight.needsNewStream {
            guard let opened = try? handle.openStream() else { return }
            stream = opened
            legs = [stream: early.leg]
            early.leg.moved(to: stream)
        }
        self.early = nil
        for piece in early.flight.release() { handle.write(stream, piece.bytes, fin: piece.fin) }
    }
}

// MARK: - For the path

extension UplinkConnection {
    /// The broker is verified, and the connection goes on.
    var openHandle: QUICConnectionHandle? {
        if case .open(let handle) = state { handle } else { nil }
    }

    /// Tries again at once what is being tried: the network has changed, or is back.
    func hurry() {
        switch state {
        case .dialing: dialer.hurry(self)
        case .open(let handle): handle.hurry()
        case .closed: break
        }
    }

    func fellSilent(at now: NIODeadline) {
        doubtedSince = now
        owner?.connectionFellSilent(self)
        for leg in legs.values { leg.silent() }
    }

    /// Devices that have not had an answer on it go elsewhere, and no more come until it is heard again.
    func dismissNewcomers(at now: NIODeadline) {
        doubtedSince = now
        owner?.connectionFellSilent(self)
        for leg in legs.values { leg.leaveUnheard() }
    }

    var hasNewcomers: Bool { legs.values.contains { $0.mayLeave } }

    func answered(after silence: Duration) {
        for leg in legs.values { leg.answered(after: silence) }
        owner?.connectionHasRoom(self)
    }

    /// Nothing will come on it any more, though no end has been seen. The broker is told, in case that it hears.
    func pathDied(_ why: String) {
        let loss = UplinkLoss.network(description: why)
        if let control { return control.connectionLost(loss) }
        over(UplinkConnectionEnd(why: why), loss)
    }
}

// MARK: - For the gateway's session

extension UplinkConnection {
    func controlReady(_ limits: GatewayLimits) {
        guard case .open = state, !isReady else { return }
        self.limits = limits
        isReady = true
        owner?.connectionReady(self)
    }

    /// The session is over, and with it all data streams. `close()` follows.
    func controlEnded(_ end: UplinkConnectionEnd) {
        guard case .open = state else { return }
        var end = end
        end.isBrokerBusy = end.isBrokerBusy || isBrokerOverloaded
        over(end, .network(description: end.why))
    }
}

// MARK: - For the legs

extension UplinkConnection: UplinkCarrier {
    func bufferedBytes(_ stream: QUICStreamID) -> Int {
        if let early, early.leg === legs[stream] { return early.flight.bufferedBytes }
        return if case .open(let handle) = state { handle.bufferedBytes(stream) } else { 0 }
    }

    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        if let early, early.leg === legs[stream] {
            guard let first = self.early?.flight.write(bytes, fin: fin) else { return }
            early.handle?.write(stream, first)
            return
        }
        if case .open(let handle) = state { handle.write(stream, bytes, fin: fin) }
    }

    func consumed(_ stream: QUICStreamID, _ bytes: Int) {
        if case .open(let handle) = state { handle.consumed(stream, bytes: bytes) }
    }

    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool) {
        guard let leg = legs.removeValue(forKey: stream) else { return }
        if early?.leg === leg { return leftEarly() }
        guard case .open(let handle) = state else { return }
        if legCount == 0 { emptySince = .now() }
        guard isShared else {
            close()
            return
        }
        if wasUnheard, handle.bufferedBytes(stream) > 0 { doubtedSince = .now() }
        if !isFinished { handle.reset(stream, code: 0) }
        handle.consumed(stream, bytes: unconsumed)
        owner?.connectionHasRoom(self)
    }

    /// The device has left before its CONNECT is known to have been taken.
    private func leftEarly() {
        early = nil
        if case .dialing = state {
            close()
            owner?.connectionAbandoned(self)
        } else if isShared {
            // It was waiting for a stream.
            emptySince = .now()
            owner?.connectionHasRoom(self)
        } else {
            close()
        }
    }
}

extension UplinkConnection: QUICConnectionObserver {
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        switch (event, state) {
        case (.streamsAvailable, .open):
            resumeEarly(on: handle)
            if isReady { owner?.connectionHasRoom(self) } else { control?.start(on: self) }
        case (.ticketReceived(let ticket), .open):
            dialer.tickets.put(ticket, for: endpoint)
        case (.streamData(let stream, let bytes, let isEnd), .open):
            if let leg = legs[stream] {
                leg.received(bytes, isEnd: isEnd)
            } else {
                handle.consumed(stream, bytes: bytes.readableBytes)
            }
        case (.streamDrained(let stream, _), .open):
            legs[stream]?.drained()
        case (.streamReset(let stream, let code), .open):
            legs[stream]?.lost(UplinkLoss(resetCode: code), withConnection: false)
        case (.stopSending(let stream, _), .open):
            stopped(stream, after: handle.probeTimeout * 3)
        case (.closed(let error), .open):
            lost(error)
        default:
            // The rest is of no interest to streams.
            break
        }
    }

    /// The broker reads no more of the stream. Mostly DISCONNECT, FIN or a reset come with it, which say more, and are
    /// waited for; without any of them the leg is of no more use, as nothing that the device sends gets anywhere.
    private func stopped(_ stream: QUICStreamID, after patience: Duration) {
        guard let leg = legs[stream] else { return }
        let patience = TimeAmount(max(patience, Self.shortestWait))
        Timer.once(in: patience, on: dialer.eventLoop) { [weak self, weak leg] in
            guard let self, let leg, legs[stream] === leg, !leg.isPeerFinished else { return }
            // What says more may be behind what the device has not taken yet.
            guard !leg.hasUnconsumed else { return stopped(stream, after: Duration(patience)) }
            leg.lost(.network(description: "the broker reads no more of the stream"), withConnection: false)
        }
    }
    private static let shortestWait = Duration.milliseconds(250)

    private func lost(_ error: QUICError) {
        if case .applicationClosed(code: UplinkLoss.overloaded, _) = error { isBrokerOverloaded = true }
        // The gateway's session has its own word for it, and `controlEnded` follows.
        if let control { return control.connectionLost(UplinkLoss(error)) }
        over(UplinkConnectionEnd(why: "\(error)", isBrokerBusy: isBrokerOverloaded), UplinkLoss(error))
    }

    private func over(_ end: UplinkConnectionEnd, _ loss: UplinkLoss) {
        var end = end
        if case .network = loss, end.failure == nil { end.failure = .network }
        if isReady { owner?.connectionLost(self, end) } else { owner?.connectionFailed(self, end) }
        let legs = legs.values
        let handle: QUICConnectionHandle? = if case .open(let handle) = state { handle } else { nil }
        state = .closed
        isReady = false
        early = nil
        self.legs = [:]
        // Before the legs are told, which may go another way at once: no CONNECT is on two.
        handle?.close()
        for leg in legs { leg.lost(loss) }
        control?.connectionClosed()
    }
}

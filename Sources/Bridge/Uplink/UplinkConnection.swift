import BridgeCore
import NIOCore
import QUICTransport

/// Told what becomes of a connection. It may close it, and open streams on it, from within.
protocol UplinkConnectionOwner: AnyObject {
    /// The broker is verified and has chosen a protocol, and the gateway's session, where there is one, has begun.
    func connectionReady(_ connection: UplinkConnection)
    /// No address of the broker worked, or it refused the gateway; the connection is over.
    func connectionFailed(_ connection: UplinkConnection, _ end: UplinkConnectionEnd)
    /// Streams may be opened that could not before.
    func connectionHasRoom(_ connection: UplinkConnection)
    /// It broke after it had been ready. Called before the legs on it are told.
    func connectionLost(_ connection: UplinkConnection, _ end: UplinkConnectionEnd)
}

/// Why a connection is over.
struct UplinkConnectionEnd {
    /// A sentence for people.
    let why: String
    /// The broker has too much to do, or is going away.
    var isBrokerBusy = false
    /// How long not to try again at least, whatever the backoff says.
    var pause = Duration.zero
    /// Somebody has told the log already.
    var isLogged = false
}

/// One QUIC connection to the broker and the legs on it: one device's only stream, or a stream each of many devices.
///
/// ```
/// dialing <--> handshaking --verified--> open --(the gateway's CONNACK)--> ready
///    |              |                     |                                 |
///    +--------------+---------------------+------------> closed <-----------+
/// ```
/// Confined to its event loop. Each leg's bytes have their own flow control, and the connection's window is as large as
/// those of all streams together: no device can use up what another one needs.
final class UplinkConnection {
    private enum State {
        /// The dialer looks for an address.
        case dialing
        case handshaking(QUICConnectionHandle)
        case open(QUICConnectionHandle)
        case closed
    }

    private var state = State.dialing
    private unowned let dialer: UplinkDialer
    private weak var owner: (any UplinkConnectionOwner)?
    /// The gateway's session, whose data streams the other streams are.
    private let control: GatewayControl?
    private(set) var isReady = false
    /// Of the gateway's session.
    private(set) var limits: GatewayLimits?
    private var legs: [QUICStreamID: UplinkLeg] = [:]
    /// What the server chose; nil before.
    private(set) var alpn: String?
    private var isBrokerOverloaded = false
    /// When the last device left it; as long as there was none, when it was made.
    private(set) var emptySince = NIODeadline.now()
    /// What a device sent was not acknowledged for a while, and nothing has come since. The broker may be gone without a
    /// word, which only the idle timeout tells for sure: until then devices should rather have another connection.
    private(set) var isSilent = false
    /// Whether anything comes back on it.
    var path: PathWatch
    let paths: PathKeeper
    /// For the owner: whether a look at its emptiness is due.
    var isClosingScheduled = false

    init(dialer: UplinkDialer, owner: any UplinkConnectionOwner, control: GatewayControl?) {
        self.dialer = dialer
        self.owner = owner
        self.control = control
        self.paths = dialer.paths
        self.path = PathWatch(timeout: dialer.pathTimeout)
    }

    /// Several devices may have streams on it.
    var isShared: Bool { control != nil || alpn == UplinkConfiguration.Mapping.muxProtocol }

    /// Of devices.
    var legCount: Int { legs.count - (control?.isOnStream == true ? 1 : 0) }

    /// Streams that the broker lets us open now.
    var availableStreams: Int {
        if case .open(let handle) = state { handle.availableStreams } else { 0 }
    }

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
        legs.removeAll()
        control?.connectionClosed()
        switch previous {
        case .dialing: dialer.abandoned(self)
        case .handshaking(let handle):
            dialer.abandoned(self)
            handle.close()
        case .open(let handle): handle.close()
        case .closed: break
        }
    }
}

// MARK: - For the dialer

extension UplinkConnection {
    var isDialing: Bool {
        if case .dialing = state { true } else { false }
    }

    func started(_ handle: QUICConnectionHandle) {
        guard case .dialing = state else { return handle.close() }
        state = .handshaking(handle)
        paths.tried(handle.remoteAddress)
    }

    func failed(_ why: String) {
        guard case .dialing = state else { return }
        state = .closed
        control?.connectionClosed()
        owner?.connectionFailed(self, UplinkConnectionEnd(why: why))
    }
}

// MARK: - For the path

extension UplinkConnection {
    /// The broker is verified, and the connection goes on.
    var openHandle: QUICConnectionHandle? {
        if case .open(let handle) = state { handle } else { nil }
    }

    /// The same, or on its way there.
    var liveHandle: QUICConnectionHandle? {
        switch state {
        case .handshaking(let handle), .open(let handle): handle
        case .dialing, .closed: nil
        }
    }

    func fellSilent() {
        isSilent = true
        for leg in legs.values { leg.silent() }
    }

    func answered(after silence: Duration) {
        isSilent = false
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
        if case .open(let handle) = state { handle.bufferedBytes(stream) } else { 0 }
    }

    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        if case .open(let handle) = state { handle.write(stream, bytes, fin: fin) }
    }

    func consumed(_ stream: QUICStreamID, _ bytes: Int) {
        if case .open(let handle) = state { handle.consumed(stream, bytes: bytes) }
    }

    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool) {
        guard legs.removeValue(forKey: stream) != nil, case .open(let handle) = state else { return }
        if legCount == 0 { emptySince = .now() }
        guard isShared else {
            close()
            return
        }
        if wasUnheard, handle.bufferedBytes(stream) > 0 { isSilent = true }
        if !isFinished { handle.reset(stream, code: 0) }
        handle.consumed(stream, bytes: unconsumed)
        owner?.connectionHasRoom(self)
    }
}

extension UplinkConnection: QUICConnectionObserver {
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        switch (event, state) {
        case (.handshakeCompleted(let alpn), .handshaking):
            state = .open(handle)
            self.alpn = alpn
            dialer.succeeded(self, handle)
            paths.answered(handle.remoteAddress, at: .now())
            if let control { return control.start(on: self) }
            isReady = true
            owner?.connectionReady(self)
        case (.streamsAvailable, .open):
            if isReady { owner?.connectionHasRoom(self) } else { control?.start(on: self) }
        case (.streamData(let stream, let bytes, let isEnd), .open):
            isSilent = false
            if let leg = legs[stream] {
                leg.received(bytes, isEnd: isEnd)
            } else {
                handle.consumed(stream, bytes: bytes.readableBytes)
            }
        case (.streamDrained(let stream, _), .open):
            isSilent = false
            legs[stream]?.drained()
        case (.streamReset(let stream, let code), .open):
            legs[stream]?.lost(UplinkLoss(resetCode: code))
        case (.closed(let error), .handshaking):
            state = .dialing
            dialer.failed(self, error)
        case (.closed(let error), .open):
            lost(error)
        default:
            // STOP_SENDING comes with DISCONNECT or FIN, which say more; the rest is of no interest to streams.
            break
        }
    }

    private func lost(_ error: QUICError) {
        if case .applicationClosed(code: UplinkLoss.overloaded, _) = error { isBrokerOverloaded = true }
        // The gateway's session has its own word for it, and `controlEnded` follows.
        if let control { return control.connectionLost(UplinkLoss(error)) }
        over(UplinkConnectionEnd(why: "\(error)", isBrokerBusy: isBrokerOverloaded), UplinkLoss(error))
    }

    private func over(_ end: UplinkConnectionEnd, _ loss: UplinkLoss) {
        if isReady { owner?.connectionLost(self, end) } else { owner?.connectionFailed(self, end) }
        let legs = legs.values
        let handle: QUICConnectionHandle? = if case .open(let handle) = state { handle } else { nil }
        state = .closed
        isReady = false
        self.legs = [:]
        for leg in legs { leg.lost(loss) }
        control?.connectionClosed()
        handle?.close()
    }
}

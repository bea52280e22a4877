import BridgeCore
import NIOCore
import QUICTransport

/// A QUIC connection to the broker, and the legs on it: one device's only stream, or a stream for each of many devices.
///
/// ```
/// dialing ---verified---> open --(the gateway's CONNACK)--> ready
///    |                     |                                 |
///    +---------------------+------------> closed <-----------+
/// ```
/// With early data one leg is on it while it is still being dialed: see ``EarlyFlight``.
///
/// Confined to its event loop. Each leg's bytes have their own flow control, and the connection's window is as large as
/// those of all streams together: no device can use up what another one needs.
final class QUICCarrier {
    enum State {
        /// The ``QUICAttempt`` races the broker's addresses.
        case dialing
        case open(QUICConnectionHandle)
        case closed
    }

    /// A leg that is open before the connection is.
    struct Early {
        let leg: UplinkLeg
        var flight = EarlyFlight()
        /// The connection that has the leg's stream; `nil` once that is of no use any more.
        var handle: QUICConnectionHandle?
        let stream: QUICStreamID
    }

    let id: UplinkConnectionID
    let endpoint: UplinkEndpoint
    /// The connection ends when nothing is heard for this long.
    let idleTimeout: Duration
    var state = State.dialing
    var early: Early?
    unowned let dialer: QUICDialer
    weak var observer: (any UplinkCarrierObserver)?
    /// The gateway's session, whose data streams the other streams are.
    let control: GatewayControl?
    var isReady = false
    /// The limits of the gateway's session.
    var limits: GatewayLimits?
    var legs: [QUICStreamID: UplinkLeg] = [:]
    /// The protocol that the server chose; `nil` before the handshake is through.
    var alpn: String?
    /// The broker has closed the connection because it is overloaded.
    var isBrokerOverloaded = false
    /// Since when the connection has to be heard again before it is given another device; `nil` if nothing speaks against
    /// it. See ``isSilent``.
    var doubtedSince: NIODeadline?
    /// Tells whether anything comes back on it.
    var path: PathWatch
    /// Tells when devices that have had no answer are better off on another connection.
    var newcomers: NewcomerWatch
    let paths: PathKeeper

    init(
        _ id: UplinkConnectionID, to endpoint: UplinkEndpoint, idleTimeout: Duration, dialer: QUICDialer,
        observer: any UplinkCarrierObserver, control: GatewayControl?
    ) {
        self.id = id
        self.endpoint = endpoint
        self.idleTimeout = idleTimeout
        self.dialer = dialer
        self.observer = observer
        self.control = control
        self.paths = dialer.paths
        self.path = PathWatch(timeout: dialer.pathTimeout)
        self.newcomers = NewcomerWatch(connectTimeout: dialer.connectTimeout)
    }

    /// Several devices may have streams on it.
    var isShared: Bool { control != nil || alpn == UplinkConfiguration.Mapping.muxProtocol }

    /// The legs of devices.
    var legCount: Int { legs.count - (control?.isOnStream == true ? 1 : 0) }

    /// The QUIC connection, once the broker is verified.
    var openHandle: QUICConnectionHandle? {
        if case .open(let handle) = state { handle } else { nil }
    }

    func becomeReady() {
        isReady = true
        observer?.carrierReady(
            self,
            UplinkReadiness(isShared: isShared, alpn: alpn ?? "", idleTimeout: openHandle?.idleTimeout ?? .zero))
    }
}

// MARK: - The end

extension QUICCarrier {
    func retire() {
        if let control, isReady { control.shutDown() } else { close() }
    }

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

    /// The connection has broken.
    func broke(_ error: QUICError) {
        if case .applicationClosed(code: UplinkLoss.overloaded, _) = error { isBrokerOverloaded = true }
        // The gateway's session says in its own words what that means, by `controlEnded`.
        if let control { return control.connectionLost(UplinkLoss(error)) }
        end(UplinkConnectionEnd(why: "\(error)", isBrokerBusy: isBrokerOverloaded), UplinkLoss(error))
    }

    /// Nothing will come on it any more, though no end has been seen. The broker is told, in case it hears.
    func pathDied(_ why: String) {
        let loss = UplinkLoss.network(description: why)
        if let control { return control.connectionLost(loss) }
        end(UplinkConnectionEnd(why: why), loss)
    }

    func end(_ end: UplinkConnectionEnd, _ loss: UplinkLoss) {
        var end = end
        if case .network = loss, end.failure == nil { end.failure = .network }
        if isReady {
            observer?.carrierLost(self, end, wasSilent: path.isSilent)
        } else {
            observer?.carrierFailed(self, end)
        }
        let legs = legs.values
        let handle = openHandle
        state = .closed
        isReady = false
        early = nil
        self.legs = [:]
        // Before the legs are told, which may go another way at once: CONNECT is never on two ways.
        handle?.close()
        for leg in legs { leg.lost(loss) }
        control?.connectionClosed()
    }
}

// MARK: - The gateway's session

extension QUICCarrier {
    func controlReady(_ limits: GatewayLimits) {
        guard case .open = state, !isReady else { return }
        self.limits = limits
        becomeReady()
    }

    /// The session is over, and with it all data streams. `close()` follows.
    func controlEnded(_ end: UplinkConnectionEnd) {
        guard case .open = state else { return }
        var end = end
        end.isBrokerBusy = end.isBrokerBusy || isBrokerOverloaded
        self.end(end, .network(description: end.why))
    }
}

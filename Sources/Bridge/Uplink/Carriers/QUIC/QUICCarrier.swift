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
/// With early data, one leg is on the connection while it is still being made: see ``EarlyFlight``.
///
/// Confined to its event loop. Each leg's bytes have their own flow control, and the connection's window is as large as
/// those of all streams together, so no device can use up what another one needs.
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
        /// The connection that has the leg's stream; `nil` once that stream is useless.
        var handle: QUICConnectionHandle?
        let stream: QUICStreamID
    }

    let id: UplinkConnectionID
    let endpoint: UplinkEndpoint
    /// How long nothing may be heard before the connection ends.
    let idleTimeout: Duration
    let settings: DialSettings
    var state = State.dialing
    var early: Early?
    unowned let dialer: QUICDialer
    weak var observer: (any UplinkCarrierObserver)?
    /// The gateway's session, to which the other streams belong as data streams.
    let control: GatewayControl?
    var isReady = false
    /// The limits of the gateway's session.
    var limits: GatewayLimits?
    var legs: [QUICStreamID: UplinkLeg] = [:]
    /// The protocol that the server chose; `nil` before the handshake has completed.
    var alpn: String?
    /// How often the connection has moved to another path.
    var pathChanges = 0
    /// Whether the broker has closed the connection because it is overloaded.
    var isBrokerOverloaded = false
    /// The time after which the broker has to be heard on the connection before it is given another device; `nil` if
    /// there is no doubt about the connection. See ``isSilent``.
    var doubtedSince: NIODeadline?
    /// Decides whether the path is silent.
    var path: PathWatch
    /// Decides when devices that have had no answer are better off on another connection.
    var newcomers: NewcomerWatch
    /// Whether the last look found that what is unanswered has to be sent again.
    var isToSendAgain = false
    let paths: PathKeeper

    init(
        _ id: UplinkConnectionID, to endpoint: UplinkEndpoint, idleTimeout: Duration, settings: DialSettings,
        dialer: QUICDialer, observer: any UplinkCarrierObserver, control: GatewayControl?
    ) {
        self.id = id
        self.endpoint = endpoint
        self.idleTimeout = idleTimeout
        self.settings = settings
        self.dialer = dialer
        self.observer = observer
        self.control = control
        self.paths = dialer.paths
        self.path = PathWatch(timeout: settings.uplink.pathTimeout)
        self.newcomers = NewcomerWatch(connectTimeout: settings.uplink.connectTimeout)
    }

    /// Whether several devices may have streams on it.
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
        if case .applicationClosed(code: UplinkLoss.goElsewhere, _) = error { observer?.carrierIsSentElsewhere(self) }
        // The gateway's session reports what that means by calling `controlEnded`.
        if let control { return control.connectionLost(UplinkLoss(error)) }
        end(UplinkConnectionEnd(why: "\(error)", isBrokerBusy: isBrokerOverloaded), UplinkLoss(error))
    }

    /// The connection is dead, although its end has not been seen. The broker is told, in case it still receives.
    func pathDied(_ why: String) {
        let loss = UplinkLoss.network(description: why)
        if let control { return control.connectionLost(loss) }
        end(UplinkConnectionEnd(why: why), loss)
    }

    /// A server that stops closes connections in the middle of sessions. One that closes a connection instead of
    /// answering CONNECT may mean that device.
    private func mayConcernNetwork(_ loss: UplinkLoss) -> Bool {
        switch loss {
        case .network: true
        case .closed: isReady && legs.values.contains { !$0.isPeerFinished && !$0.mayLeave }
        case .byBroker, .dataStreamRefused: false
        }
    }

    func end(_ end: UplinkConnectionEnd, _ loss: UplinkLoss) {
        var end = end
        if end.failure == nil, mayConcernNetwork(loss) { end.failure = .network }
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
        // This comes before the legs are told, because they may take another way at once, and CONNECT must never be on
        // two ways.
        handle?.close()
        for leg in legs { leg.lost(loss, isHeldBack: leg.unconsumed >= settings.creditStep) }
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

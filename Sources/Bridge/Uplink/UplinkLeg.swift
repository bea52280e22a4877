import BridgeCore
import NIOCore
import QUICTransport

/// The byte stream that carries one device to the broker: it first waits for a place, and then is a stream of a
/// carrier.
///
/// Confined to the device's event loop. Sending bytes before ``UplinkLegObserver/uplinkReady(_:)`` is a bug in the
/// caller.
final class UplinkLeg {
    private enum State {
        /// The plan looks for a connection with room.
        case waiting
        case open(any UplinkCarrier, QUICStreamID)
        case closed
    }

    /// Far longer than an acknowledgement takes on any usable path.
    private static let patience = TimeAmount.seconds(1)

    /// What has been sent, for as long as it may have to be sent again on another connection.
    private struct Beginning {
        var pieces: [EarlyFlight.Piece] = []
        /// Whether the leg waits again, so that nothing it has sent counts.
        var isOver = false
    }

    /// The leg's identifier in the plan; `nil` for a leg that is given its stream directly.
    private(set) var id: UplinkLegID?
    /// The MQTT keepalive of its device; `nil` if it has none, or the leg carries no device's own session.
    let keepAlive: Duration?
    private var state = State.waiting
    /// This is kept until the leg is over or the observer closes it, because a weak reference would cost an allocation
    /// per device.
    private var observer: (any UplinkLegObserver)?
    private weak var driver: UplinkDriver?
    /// Bytes handed to the observer that the device is not known to have taken.
    private(set) var unconsumed = 0
    private var isFinished = false
    private var openedAt = NIODeadline.distantPast
    private var hasReceived = false
    /// Whether the broker's FIN has come.
    private(set) var isPeerFinished = false
    /// What was sent before anything came back. It is CONNECT, because sessions send nothing else before CONNACK.
    private var beginning: Beginning?

    /// - Parameter driver: The driver that looks for a connection; `nil` for a leg that is given its stream directly.
    init(
        _ id: UplinkLegID? = nil, keepAlive: Duration? = nil, observer: any UplinkLegObserver,
        driver: UplinkDriver? = nil
    ) {
        self.id = id
        self.keepAlive = keepAlive
        self.observer = observer
        self.driver = driver
    }

    /// Bytes sent and not yet acknowledged by the broker's transport.
    var bufferedBytes: Int {
        switch state {
        case .open(let carrier, let stream): carrier.bufferedBytes(stream)
        case .waiting: beginning?.pieces.reduce(0) { $0 + ($1.bytes?.readableBytes ?? 0) } ?? 0
        case .closed: 0
        }
    }

    /// How many of these count against a limit on what is buffered for the device; see ``UplinkCarrier``.
    func backlog(inFlight: Int) -> Int {
        guard case .open(let carrier, let stream) = state else { return bufferedBytes }
        return carrier.backlog(stream, inFlight: inFlight)
    }

    /// When something last came on the leg's connection; `nil` while the leg has none.
    var lastReceived: NIODeadline? {
        if case .open(let carrier, _) = state { carrier.lastReceived } else { nil }
    }

    /// The connection that the leg is on; `nil` while it has none.
    var carrier: (any UplinkCarrier)? {
        if case .open(let carrier, _) = state { carrier } else { nil }
    }

    /// Whether the leg is open and nothing has come on it.
    var isUnanswered: Bool {
        if case .open = state { !hasReceived } else { false }
    }

    /// Why the leg is not ready, if that is known.
    var whyNotYet: String? {
        isWaiting ? driver?.presentFailure : nil
    }

    func send(_ bytes: ByteBuffer) {
        beginning?.pieces.append(EarlyFlight.Piece(bytes: bytes))
        guard case .open(let carrier, let stream) = state else { return }
        carrier.write(stream, bytes, fin: false)
    }

    /// Sends FIN behind everything sent before. From then on the leg does not wait again, because its device is gone.
    /// Close a leg that is still waiting instead.
    func finish() {
        guard case .open(let carrier, let stream) = state else { return }
        isFinished = true
        carrier.write(stream, nil, fin: true)
    }

    /// The device has taken these bytes: the broker may send as many again.
    func consumed(_ bytes: Int) {
        guard bytes > 0, case .open(let carrier, let stream) = state else { return }
        unconsumed -= bytes
        carrier.consumed(stream, bytes)
    }

    /// Ends the leg now. The observer hears nothing more.
    func close() {
        observer = nil
        leave()
        end()
    }

    /// Gives up the leg's stream.
    private func leave() {
        guard case .open(let carrier, let stream) = state else { return }
        state = .closed
        carrier.left(
            stream, unconsumed: unconsumed, isFinished: isFinished && isPeerFinished,
            wasUnheard: !hasReceived && openedAt + Self.patience <= .now())
    }

    private func end() {
        state = .closed
        if let id { driver?.legLeft(id) }
    }

    private func takeObserver() -> (any UplinkLegObserver)? {
        defer { observer = nil }
        return observer
    }
}

// MARK: - For the driver

extension UplinkLeg {
    var isWaiting: Bool {
        if case .waiting = state { true } else { false }
    }

    /// The connection that the leg is about to get was made some time ago. If it turns out to be dead before anything
    /// has come on the leg, the leg waits again.
    func mayComeBack() {
        guard isWaiting, beginning == nil else { return }
        beginning = Beginning()
    }

    /// Another driver looks for a connection now.
    func move(to driver: UplinkDriver, as id: UplinkLegID) {
        self.driver = driver
        self.id = id
    }

    /// No connection could be made. The plan has forgotten the leg.
    func unreachable(_ why: String) {
        guard isWaiting else { return }
        state = .closed
        takeObserver()?.uplinkUnreachable(why)
    }
}

// MARK: - For the carrier

extension UplinkLeg {
    func opened(on carrier: any UplinkCarrier, _ stream: QUICStreamID) {
        state = .open(carrier, stream)
        openedAt = .now()
        guard let beginning, beginning.isOver else {
            observer?.uplinkReady(carrier.limits)
            return
        }
        self.beginning = nil
        for piece in beginning.pieces { carrier.write(stream, piece.bytes, fin: piece.fin) }
        if !beginning.pieces.isEmpty { observer?.uplinkSentAgain() }
    }

    /// The connection could not be made and is closed. What was sent as early data is sent again on the next one.
    func comeBack(with pieces: [EarlyFlight.Piece]) {
        guard case .open = state else { return }
        guard !isFinished else {
            state = .closed
            // Before the observer, which may close the leg.
            if let id { driver?.legEndedWithHandshake(id) }
            takeObserver()?.uplinkLost(.network(description: "the connection came to nothing"))
            return
        }
        beginning = Beginning(pieces: pieces, isOver: true)
        state = .waiting
    }

    /// What the leg has sent is sent again on another stream of the same connection. The observer does not notice.
    func moved(to stream: QUICStreamID) {
        guard case .open(let carrier, _) = state else { return }
        state = .open(carrier, stream)
    }

    func received(_ bytes: ByteBuffer, isEnd: Bool) {
        hasReceived = true
        beginning = nil
        unconsumed += bytes.readableBytes
        isPeerFinished = isPeerFinished || isEnd
        observer?.uplinkReceived(bytes, isEnd: isEnd)
    }

    func drained() {
        observer?.uplinkDrained()
    }

    func silent() {
        observer?.uplinkSilent()
    }

    func answered(after silence: Duration) {
        observer?.uplinkAnswered(after: silence)
    }

    /// Whether nothing has come on the leg and what it sent may be sent again on another connection, which happens only
    /// once.
    var mayLeave: Bool {
        if case .open = state, let beginning, driver != nil, !isFinished { !beginning.isOver } else { false }
    }

    /// Nothing comes on the leg's connection, so the leg gives up its stream there and waits again.
    func leaveUnheard() {
        guard mayLeave, let id, let driver else { return }
        leave()
        beginning?.isOver = true
        state = .waiting
        driver.legCameBack(id)
    }

    /// The stream was reset, or, if `withConnection` is true, its connection is gone.
    ///
    /// - Parameter isHeldBack: Whether the broker may have had no credit to send more on the stream.
    func lost(_ loss: UplinkLoss, withConnection: Bool = true, isHeldBack: Bool = false) {
        if withConnection, !loss.isDecision, mayLeave { return leaveUnheard() }
        var loss = loss
        // The broker has ended the session before, or its word about it may wait behind what the device has not read.
        if case .closed(let description) = loss, isPeerFinished || isHeldBack {
            loss = .byBroker(reasonCode: nil, description: description)
        }
        // The observer is told first, because a connection without its control stream must be given no further device.
        takeObserver()?.uplinkLost(loss)
        leave()
        end()
    }
}

extension UplinkLoss {
    /// Whether the broker gave a reason that concerns the device. A close without one may have been meant for the
    /// connection.
    fileprivate var isDecision: Bool {
        switch self {
        case .byBroker(let code, _): code != nil
        case .dataStreamRefused: true
        case .closed, .network: false
        }
    }
}

import BridgeCore
import NIOCore
import QUICTransport

/// The byte stream that carries one device to the broker: in a line at first, then on whatever carries it.
///
/// Confined to the device's event loop. Bytes sent before ``UplinkLegObserver/uplinkReady(_:)`` are a bug of the caller's.
final class UplinkLeg {
    private enum State {
        /// The connector looks for a connection with room.
        case waiting
        case open(any UplinkCarrier, QUICStreamID)
        case closed
    }

    /// Many times what an acknowledgement takes on any path that is of use.
    private static let patience = TimeAmount.seconds(1)

    private var state = State.waiting
    /// Kept until the leg is over, or closed by the observer: a weak reference would cost each device an allocation.
    private var observer: (any UplinkLegObserver)?
    private weak var owner: (any UplinkLegOwner)?
    /// Bytes handed to the observer that the device has not taken yet.
    private var unconsumed = 0
    private var isFinished = false
    private var openedAt = NIODeadline.distantPast
    private var hasReceived = false
    private var isPeerFinished = false

    /// - Parameter owner: Whose line it waits in; nil for one that is given its stream at once.
    init(observer: any UplinkLegObserver, owner: (any UplinkLegOwner)? = nil) {
        self.observer = observer
        self.owner = owner
    }

    /// Bytes sent and not yet acknowledged by the broker's transport.
    var bufferedBytes: Int {
        if case .open(let carrier, let stream) = state { carrier.bufferedBytes(stream) } else { 0 }
    }

    /// What keeps the leg from being ready, where that is known.
    var whyNotYet: String? {
        isWaiting ? owner?.presentFailure : nil
    }

    func send(_ bytes: ByteBuffer) {
        guard case .open(let carrier, let stream) = state else { return }
        carrier.write(stream, bytes, fin: false)
    }

    /// FIN, behind everything sent before.
    func finish() {
        guard case .open(let carrier, let stream) = state else { return }
        isFinished = true
        carrier.write(stream, nil, fin: true)
    }

    /// The device has really taken these bytes: the broker may send as many again.
    func consumed(_ bytes: Int) {
        guard bytes > 0, case .open(let carrier, let stream) = state else { return }
        unconsumed -= bytes
        carrier.consumed(stream, bytes)
    }

    /// Ends the leg now. The observer hears nothing more.
    func close() {
        observer = nil
        switch state {
        case .waiting:
            state = .closed
            owner?.abandoned(self)
        case .open:
            leave()
        case .closed:
            break
        }
    }

    private func leave() {
        guard case .open(let carrier, let stream) = state else { return }
        state = .closed
        carrier.left(
            stream, unconsumed: unconsumed, isFinished: isFinished && isPeerFinished,
            wasUnheard: !hasReceived && openedAt + Self.patience <= .now())
    }
}

// MARK: - For the connector

extension UplinkLeg {
    var isWaiting: Bool {
        if case .waiting = state { true } else { false }
    }

    func unreachable(_ why: String) {
        guard isWaiting else { return }
        state = .closed
        takeObserver()?.uplinkUnreachable(why)
    }

    private func takeObserver() -> (any UplinkLegObserver)? {
        defer { observer = nil }
        return observer
    }
}

// MARK: - For the connection

extension UplinkLeg {
    func opened(on carrier: any UplinkCarrier, _ stream: QUICStreamID) {
        state = .open(carrier, stream)
        openedAt = .now()
        observer?.uplinkReady(carrier.limits)
    }

    /// What it has sent goes again on another stream, which nobody else is to notice.
    func moved(to stream: QUICStreamID) {
        guard case .open(let carrier, _) = state else { return }
        state = .open(carrier, stream)
    }

    func received(_ bytes: ByteBuffer, isEnd: Bool) {
        hasReceived = true
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

    /// The stream was reset, or its connection is gone.
    func lost(_ loss: UplinkLoss) {
        // First the observer: a connection whose control stream is lost is to be given nobody else.
        takeObserver()?.uplinkLost(loss)
        leave()
        state = .closed
    }
}

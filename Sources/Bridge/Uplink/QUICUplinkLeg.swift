import BridgeCore
import NIOCore
import QUICTransport

/// One bidirectional QUIC stream for one device, alone on its connection or beside others.
final class QUICUplinkLeg: UplinkLeg {
    private enum State {
        /// The connector looks for a connection with room.
        case waiting
        case open(UplinkConnection, QUICStreamID)
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

    var bufferedBytes: Int {
        if case .open(let connection, let stream) = state { connection.bufferedBytes(stream) } else { 0 }
    }

    var whyNotYet: String? {
        isWaiting ? owner?.presentFailure : nil
    }

    func send(_ bytes: ByteBuffer) {
        guard case .open(let connection, let stream) = state else { return }
        connection.write(stream, bytes)
    }

    func finish() {
        guard case .open(let connection, let stream) = state else { return }
        isFinished = true
        connection.write(stream, nil, fin: true)
    }

    func consumed(_ bytes: Int) {
        guard bytes > 0, case .open(let connection, let stream) = state else { return }
        unconsumed -= bytes
        connection.consumed(stream, bytes)
    }

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
        guard case .open(let connection, let stream) = state else { return }
        state = .closed
        connection.left(
            stream, unconsumed: unconsumed, isFinished: isFinished && isPeerFinished,
            wasUnheard: !hasReceived && openedAt + Self.patience <= .now())
    }
}

// MARK: - For the connector

extension QUICUplinkLeg {
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

extension QUICUplinkLeg {
    func opened(on connection: UplinkConnection, _ stream: QUICStreamID) {
        state = .open(connection, stream)
        openedAt = .now()
        observer?.uplinkReady(connection.limits)
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

    /// The stream was reset, or its connection is gone.
    func lost(_ loss: UplinkLoss) {
        // First the observer: a connection whose control stream is lost is to be given nobody else.
        takeObserver()?.uplinkLost(loss)
        leave()
        state = .closed
    }
}

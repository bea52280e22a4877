import BridgeCore
import NIOCore
import QUICTransport

/// The mapping `connection`: a QUIC connection of its own for one device, with one bidirectional stream.
final class QUICUplinkLeg: UplinkLeg {
    private enum State {
        /// The connector looks for an address, or waits for its turn.
        case waiting
        case handshaking(QUICConnectionHandle)
        /// The broker is verified, and allows no stream yet.
        case awaitingStream(QUICConnectionHandle)
        case open(QUICConnectionHandle, QUICStreamID)
        case closed
    }

    private var state = State.waiting
    private weak var observer: (any UplinkLegObserver)?
    /// Lets go of the attempt, or tells of its outcome.
    private let connector: UplinkConnector

    init(observer: any UplinkLegObserver, connector: UplinkConnector) {
        self.observer = observer
        self.connector = connector
    }

    var bufferedBytes: Int {
        if case .open(let handle, let stream) = state { handle.bufferedBytes(stream) } else { 0 }
    }

    var whyNotYet: String? {
        if case .waiting = state { connector.presentFailure } else { nil }
    }

    func send(_ bytes: ByteBuffer) {
        guard case .open(let handle, let stream) = state else { return }
        handle.write(stream, bytes)
    }

    func finish() {
        guard case .open(let handle, let stream) = state else { return }
        handle.write(stream, nil, fin: true)
    }

    func consumed(_ bytes: Int) {
        guard bytes > 0, case .open(let handle, let stream) = state else { return }
        handle.consumed(stream, bytes: bytes)
    }

    func close() {
        let previous = state
        state = .closed
        observer = nil
        switch previous {
        case .waiting:
            connector.abandoned(self)
        case .handshaking(let handle), .awaitingStream(let handle):
            connector.abandoned(self)
            handle.close()
        case .open(let handle, _):
            handle.close()
        case .closed:
            break
        }
    }

    // MARK: - For the connector

    var isWaiting: Bool {
        if case .waiting = state { true } else { false }
    }

    func started(_ handle: QUICConnectionHandle) {
        guard case .waiting = state else { return handle.close() }
        state = .handshaking(handle)
    }

    func unreachable(_ why: String) {
        guard let observer else { return }
        state = .closed
        self.observer = nil
        observer.uplinkUnreachable(why)
    }
}

extension QUICUplinkLeg: QUICConnectionObserver {
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        switch (event, state) {
        case (.handshakeCompleted, .handshaking):
            state = .awaitingStream(handle)
            openStream(on: handle)
        case (.streamsAvailable, .awaitingStream):
            openStream(on: handle)
        case (.streamData(let stream, let bytes, let isEnd), .open(_, let own)) where stream == own:
            observer?.uplinkReceived(bytes, isEnd: isEnd)
        case (.streamDrained(let stream, _), .open(_, let own)) where stream == own:
            observer?.uplinkDrained()
        case (.streamReset(let stream, let code), .open(_, let own)) where stream == own:
            lost(UplinkLoss(resetCode: code))
            handle.close()
        case (.closed(let error), .handshaking), (.closed(let error), .awaitingStream):
            state = .waiting
            connector.failed(self, error)
        case (.closed(let error), .open):
            if case .applicationClosed(code: UplinkLoss.overloaded, _) = error { connector.brokerIsBusy() }
            lost(UplinkLoss(error))
        default:
            // STOP_SENDING comes with DISCONNECT or FIN, which say more; the rest is of no interest to one stream.
            break
        }
    }

    private func openStream(on handle: QUICConnectionHandle) {
        do {
            // No credit yet: `.streamsAvailable` follows, or the session's connect timeout.
            guard let stream = try handle.openStream() else { return }
            state = .open(handle, stream)
            connector.succeeded(self, handle)
            observer?.uplinkReady()
        } catch {
            handle.close()
            state = .waiting
            connector.failed(self, error)
        }
    }

    private func lost(_ loss: UplinkLoss) {
        state = .closed
        let observer = observer
        self.observer = nil
        observer?.uplinkLost(loss)
    }
}

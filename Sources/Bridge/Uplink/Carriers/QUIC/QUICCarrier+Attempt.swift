import BridgeCore
import NIOCore
import QUICTransport

// Events of the attempt to make the connection, and the leg with early data.
extension QUICCarrier {
    /// Opens the leg on a connection whose handshake has only begun: its first bytes go out as early data. Returns
    /// `false` if that is impossible, in which case the leg keeps waiting.
    func startEarly(_ leg: UplinkLeg, on handle: QUICConnectionHandle) throws(QUICError) -> Bool {
        guard case .dialing = state, early == nil, let stream = try handle.openStream() else { return false }
        early = Early(leg: leg, handle: handle, stream: stream)
        legs[stream] = leg
        observer?.carrierSendsEarly(leg)
        leg.opened(on: self, stream)
        return true
    }

    /// The early data on that connection was not accepted, so it is sent again once a handshake has completed.
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
        becomeReady()
    }

    /// No address of the broker worked.
    func failed(_ why: String, _ failure: UplinkWay.Failure) {
        guard case .dialing = state else { return }
        let early = early
        state = .closed
        self.early = nil
        legs = [:]
        control?.connectionClosed()
        if var early {
            // The broker has not heard the CONNECT, or can no longer answer it: it may take another way now.
            early.flight.rejected()
            early.leg.comeBack(with: early.flight.release())
        }
        observer?.carrierFailed(self, UplinkConnectionEnd(why: why, failure: failure))
    }

    /// The leg that sent early data is like any other from now on. If its early data was not accepted and the broker
    /// allows no stream yet, it waits for one.
    func resumeEarly(on handle: QUICConnectionHandle) {
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

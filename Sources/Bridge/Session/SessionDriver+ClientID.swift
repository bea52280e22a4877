import BridgeCore
import NIOCore
import QUICTransport

// Which sessions have had its client id, and which has it next: see ``ClientIDRegistry``.
extension SessionDriver {
    /// The loop has been through all its sockets by then.
    private static let readTime = TimeAmount.milliseconds(2)
    /// Nobody waits longer for an answer.
    private static let longestReadTime = TimeAmount.milliseconds(512)

    /// Known to the broker.
    func takeClientID(_ clientID: String) {
        releaseClientID()
        let claim = ClientIDClaim(
            clientID, isAtBroker: true, isSessionBorrowed: session.isSessionBorrowed, of: self, on: host.eventLoop)
        self.claim = claim
        let (wait, findsNoSession) = host.clientIDs.take(claim)
        if findsNoSession { session.findsNoSession() }
        perform(session.clientIDTaken(wait))
    }

    /// Known to the bridge only.
    func claimClientID(_ clientID: String, isCleanStart: Bool) {
        releaseClientID()
        let claim = ClientIDClaim(clientID, isAtBroker: false, of: self, on: host.eventLoop)
        self.claim = claim
        host.clientIDs.claim(claim, isCleanStart: isCleanStart)
    }

    func setClientIDPhase(_ phase: ClientIDRegistry<ClientIDClaim>.Phase) {
        if let claim { host.clientIDs.set(phase, of: claim) }
    }

    func releaseClientID() {
        guard let claim else { return }
        self.claim = nil
        host.clientIDs.release(claim, lingers: session.lingersAtBroker, on: host.eventLoop)
    }

    /// Nobody is left who had its client id before.
    func clientIDIsFree() {
        guard claim != nil else { return }
        perform(session.clientIDIsFree())
    }

    /// A device with its client id has come: maybe its own, which has left and has said so in what is still to be read.
    /// That is read before the answer.
    func checkIsStillThere(after time: TimeAmount = SessionDriver.readTime) {
        Timer.once(in: time, on: host.eventLoop) { [self] in
            // Otherwise it is released when it is over.
            guard let claim, !session.isOver, !hasDeviceEnded, !hasSessionEnded else { return }
            guard isReadHeldBack, time < Self.longestReadTime else { return host.clientIDs.pass(claim) }
            checkIsStillThere(after: time * 2)
        }
    }

    /// Its device came again, or another one with its client id.
    func takenOver(byContinuation: Bool) {
        guard claim != nil else { return }
        perform(session.takenOver(byContinuation: byContinuation))
        device?.flush()
        finishIfOver()
    }
}

extension SessionNote {
    /// What it means for who has the client id; nil: nothing.
    var clientIDPhase: ClientIDRegistry<ClientIDClaim>.Phase? {
        switch self {
        case .held: .held
        case .resumed: .living
        case .sessionNotKept, .willLost, .willRefused, .subscriptionsLost: nil
        }
    }
}

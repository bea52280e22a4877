import BridgeCore
import NIOCore
import QUICTransport

// Which sessions had the device's client id before, and which session gets it next: see ``ClientIDRegistry``.
extension SessionDriver {
    /// By then the event loop has read from all its sockets.
    private static let readTime = TimeAmount.milliseconds(2)
    /// A newcomer does not wait longer than this for an answer.
    private static let longestReadTime = TimeAmount.milliseconds(512)

    /// Takes a client id that the broker knows.
    func takeClientID(_ clientID: String) {
        releaseClientID()
        let claim = ClientIDClaim(
            clientID, isAtBroker: true, isSessionBorrowed: session.isSessionBorrowed, of: self, on: host.eventLoop)
        self.claim = claim
        let taking = host.clientIDs.take(claim)
        if taking.findsNoSession { session.findsNoSession() }
        if let rival = taking.rival { settle(with: rival) }
        perform(session.clientIDTaken(taking.wait))
    }

    /// Ends one of two sessions with the same client id that the broker has not let in yet. That should be the one whose
    /// device came first, and most often one device made both connections, and has closed the earlier one. Event loops
    /// read in no certain order, so that one may be this session: everything is read before the answer.
    private func settle(with rival: ClientIDClaim) {
        Timer.once(in: Self.readTime, on: host.eventLoop) { [self] in
            guard claim != nil, !session.isOver, !hasSessionEnded else { return }
            guard hasDeviceEnded || session.hasDeviceFinished else { return host.clientIDs.dismiss(rival) }
            takenOver(byContinuation: false)
        }
    }

    /// Takes a client id that only the bridge knows.
    func claimClientID(_ clientID: String, isCleanStart: Bool) {
        releaseClientID()
        let claim = ClientIDClaim(clientID, isAtBroker: false, of: self, on: host.eventLoop)
        self.claim = claim
        host.clientIDs.claim(claim, isCleanStart: isCleanStart)
    }

    /// Returns whether no other session has the client id by now.
    @discardableResult
    func setClientIDPhase(_ phase: ClientIDRegistry<ClientIDClaim>.Phase) -> Bool {
        claim.map { host.clientIDs.set(phase, of: $0) } ?? true
    }

    func releaseClientID() {
        guard let claim else { return }
        self.claim = nil
        host.clientIDs.release(claim, afterlife: session.afterlife.map(TimeAmount.init), on: host.eventLoop)
    }

    /// No earlier session has the client id any more.
    func clientIDIsFree() {
        guard let claim else { return }
        // The broker may have let the earlier session in only when this one was waiting already.
        if host.clientIDs.hasLeftover(claim) { session.findsNoSession() }
        perform(session.clientIDIsFree())
    }

    /// A device with the same client id has come. It may be this session's own device, whose DISCONNECT or end has not
    /// been read yet. So everything is read before the answer.
    func checkIsStillThere(after time: TimeAmount = SessionDriver.readTime) {
        Timer.once(in: time, on: host.eventLoop) { [self] in
            // If this session is ending, its client id is released when it is over.
            guard let claim, !session.isOver, !hasDeviceEnded, !hasSessionEnded else { return }
            guard isReadHeldBack, time < Self.longestReadTime else { return host.clientIDs.pass(claim) }
            checkIsStillThere(after: time * 2)
        }
    }

    /// The device came again, or another one came with its client id.
    func takenOver(byContinuation: Bool) {
        guard claim != nil else { return }
        perform(session.takenOver(byContinuation: byContinuation))
        device?.flush()
        finishIfOver()
    }
}

extension SessionNote {
    /// The phase of the client id that follows from the note; `nil` if none does.
    var clientIDPhase: ClientIDRegistry<ClientIDClaim>.Phase? {
        switch self {
        case .held: .held
        case .resumed: .living
        case .sessionNotKept, .willLost, .willRefused, .subscriptionsLost, .messagesExpired, .messagesDisplaced,
            .platform:
            nil
        }
    }
}

import BridgeCore
import NIOCore
import QUICTransport
import Synchronization

/// A session's claim on its client id, known to all event loops.
final class ClientIDClaim: Sendable, Hashable {
    let clientID: String
    /// Whether the broker knows the device by this client id. If not, only the bridge does.
    let isAtBroker: Bool
    /// Whether the broker keeps the session for longer than the device asked for.
    let isSessionBorrowed: Bool
    private let eventLoop: any EventLoop
    private let driver: NIOLoopBound<SessionDriver>

    /// Call this only on the driver's event loop.
    init(
        _ clientID: String, isAtBroker: Bool, isSessionBorrowed: Bool = false, of driver: SessionDriver,
        on eventLoop: any EventLoop
    ) {
        self.clientID = clientID
        self.isAtBroker = isAtBroker
        self.isSessionBorrowed = isSessionBorrowed
        self.eventLoop = eventLoop
        self.driver = NIOLoopBound(driver, eventLoop: eventLoop)
    }

    func takenOver(byContinuation: Bool) {
        eventLoop.execute { self.driver.value.takenOver(byContinuation: byContinuation) }
    }

    func isStillThere() {
        eventLoop.execute { self.driver.value.checkIsStillThere() }
    }

    /// No earlier session has the client id any more. Sessions of the gateway do not wait for that.
    func isFree() {
        guard isAtBroker else { return }
        eventLoop.execute { self.driver.value.clientIDIsFree() }
    }

    static func == (a: ClientIDClaim, b: ClientIDClaim) -> Bool { a === b }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}

/// The ``ClientIDRegistry`` of all event loops. It takes one short lock per connected, held or ended device.
final class ClientIDs: Sendable {
    /// How long a client id stays taken after the end. EMQX ends a stream before it has forgotten the client, and
    /// refuses a CONNECT of the same client id in between as busy. A device that reconnects over a network takes longer
    /// than this anyway.
    private static let settling = TimeAmount.milliseconds(10)

    private let registry = Mutex(ClientIDRegistry<ClientIDClaim>())

    /// Gives the client id to a session of the gateway, and tells the session that had it.
    func claim(_ claim: ClientIDClaim, isCleanStart: Bool) {
        let predecessor = registry.withLock { $0.claim(claim.clientID, by: claim) }
        predecessor?.token.takenOver(byContinuation: !isCleanStart)
    }

    /// What a session finds whose device has come with a client id.
    struct Taking {
        /// Whether to wait for the earlier sessions, until ``ClientIDClaim/isFree()`` at the latest.
        let wait: ClientIDWait
        /// Whether the earlier sessions, or others that are over, may have left a session at the broker that their device
        /// had not asked for.
        let findsNoSession: Bool
        /// The session that had the client id, if the broker has not let it in yet: its CONNECT might reach the broker
        /// later than this one's, so one of the two has to end.
        let rival: ClientIDClaim?
    }

    /// Gives the client id to the claim's session. If the session that had it is connected, the broker takes it over,
    /// once it is known that its device has sent nothing more. If it is held, it is ended.
    func take(_ claim: ClientIDClaim) -> Taking {
        let (predecessor, wait, findsNoSession) = registry.withLock { registry in
            let predecessor = registry.claim(claim.clientID, by: claim, isBorrowed: claim.isSessionBorrowed)
            let hasLeftover = registry.hasLeftover(claim.clientID, at: .now())
            return (predecessor, registry.wait(claim.clientID), hasLeftover)
        }
        let rival = predecessor?.phase == .connecting ? predecessor?.token : nil
        if let predecessor, rival == nil { tell(predecessor.token, in: predecessor.phase) }
        return Taking(wait: wait, findsNoSession: findsNoSession, rival: rival)
    }

    /// The session that has taken the client id from this one before the broker had let it in is to go on.
    func dismiss(_ rival: ClientIDClaim) {
        guard let phase = registry.withLock({ $0.phase(of: rival.clientID, rival) }) else { return }
        tell(rival, in: phase)
    }

    /// Tells a session that another one has its client id.
    private func tell(_ earlier: ClientIDClaim, in phase: ClientIDRegistry<ClientIDClaim>.Phase) {
        switch phase {
        case .connecting, .held: earlier.takenOver(byContinuation: false)
        case .living: earlier.isStillThere()
        case .leaving, .unanswered, .lingering: break
        }
    }

    /// Whether an earlier session may have been left at the broker, asked again when the wait is over.
    func hasLeftover(_ claim: ClientIDClaim) -> Bool {
        registry.withLock { $0.hasLeftover(claim.clientID, at: .now()) }
    }

    /// Notes the new phase of a session whose client id the broker knows. A session that has to be held although
    /// another one has its client id by now is ended: the broker has taken it over, or would have, and its return would
    /// end the other one.
    ///
    /// - Returns: whether no other session has the client id by now.
    @discardableResult
    func set(_ phase: ClientIDRegistry<ClientIDClaim>.Phase, of claim: ClientIDClaim) -> Bool {
        guard claim.isAtBroker else { return true }
        let isHolder = registry.withLock { $0.set(phase, of: claim.clientID, claim) }
        if !isHolder, phase == .held { claim.takenOver(byContinuation: false) }
        return isHolder
    }

    /// Whether the will of a device that is gone may wait for its time.
    func linger(_ claim: ClientIDClaim) -> Bool {
        registry.withLock { $0.linger(claim.clientID, claim) }
    }

    /// The claim's device is still there, although another one has come with its client id.
    func pass(_ claim: ClientIDClaim) {
        let successor = registry.withLock { $0.pass(claim.clientID, claim) }
        successor?.isFree()
    }

    /// The claim's session is over. A broker that knew its client id gets a moment to forget it.
    ///
    /// - Parameter afterlife: How long the broker may keep the session although its device did not ask for that.
    func release(_ claim: ClientIDClaim, afterlife: TimeAmount?, on eventLoop: any EventLoop) {
        if let afterlife { registry.withLock { $0.leave(claim.clientID, claim, for: afterlife, at: .now()) } }
        guard claim.isAtBroker else { return release(claim) }
        Timer.once(in: Self.settling, on: eventLoop) { self.release(claim) }
    }

    private func release(_ claim: ClientIDClaim) {
        let successor = registry.withLock { $0.release(claim.clientID, claim) }
        successor?.isFree()
    }
}

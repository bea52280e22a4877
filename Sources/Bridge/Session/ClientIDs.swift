import BridgeCore
import NIOCore
import QUICTransport
import Synchronization

/// A session's hold on its client id, known to all event loops.
final class ClientIDClaim: Sendable, Hashable {
    let clientID: String
    /// The broker knows the device by it; else only the bridge does.
    let isAtBroker: Bool
    /// The broker keeps the session for longer than the device asked for.
    let isSessionBorrowed: Bool
    private let eventLoop: any EventLoop
    private let driver: NIOLoopBound<SessionDriver>

    /// On the driver's event loop.
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

    /// Nobody is left who had the client id before; a session of the gateway does not wait for that.
    func isFree() {
        guard isAtBroker else { return }
        eventLoop.execute { self.driver.value.clientIDIsFree() }
    }

    static func == (a: ClientIDClaim, b: ClientIDClaim) -> Bool { a === b }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}

/// ``ClientIDRegistry`` for all event loops: one short lock per connected, held or ended device.
final class ClientIDs: Sendable {
    /// EMQX ends a stream before it has forgotten the client, and refuses as busy a CONNECT of the same client id that
    /// comes in between. A device that reconnects over a network takes longer than this by itself.
    private static let settling = TimeAmount.milliseconds(10)

    private let registry = Mutex(ClientIDRegistry<ClientIDClaim>())
    /// Whose session may still be found at the broker.
    private let recent = Mutex(RecentClientIDs())

    /// The client id is the claim's from now on; whoever had it is told. For sessions of the gateway.
    func claim(_ claim: ClientIDClaim, isCleanStart: Bool) {
        let predecessor = registry.withLock { $0.claim(claim.clientID, by: claim) }
        predecessor?.token.takenOver(byContinuation: !isCleanStart)
    }

    /// The client id is the claim's from now on. A living session that had it is the broker's to take over, once it is
    /// known that its device has said nothing more; one that is held or not yet let in, whose CONNECT might come to the
    /// broker after this one's, is ended.
    ///
    /// - Returns: whether to wait for who had it before, until ``ClientIDClaim/isFree()`` at the latest; and whether the
    ///   broker has a session of theirs that their device had not asked for.
    func take(_ claim: ClientIDClaim) -> (ClientIDWait, findsNoSession: Bool) {
        let (predecessor, wait) = registry.withLock { registry in
            let predecessor = registry.claim(claim.clientID, by: claim)
            return (predecessor, registry.wait(claim.clientID))
        }
        switch predecessor?.phase {
        case .connecting, .held: predecessor?.token.takenOver(byContinuation: false)
        case .living: predecessor?.token.isStillThere()
        case .leaving, .unanswered, .lingering, nil: break
        }
        guard let predecessor else {
            return (wait, recent.withLock { $0.contains(claim.clientID, at: .now()) })
        }
        // Nothing is known about a session that has not been let in yet.
        let isAtBroker = predecessor.phase != .connecting && predecessor.phase != .lingering
        return (wait, isAtBroker && predecessor.token.isSessionBorrowed)
    }

    /// What has become of a session whose client id the broker knows. One that has to be held though another session has
    /// its client id by now is ended: the broker has taken it over, or would have, and its return would end the other.
    func set(_ phase: ClientIDRegistry<ClientIDClaim>.Phase, of claim: ClientIDClaim) {
        guard claim.isAtBroker else { return }
        let isHolder = registry.withLock { $0.set(phase, of: claim.clientID, claim) }
        if !isHolder, phase == .held { claim.takenOver(byContinuation: false) }
    }

    /// Whether the will of a device that is gone may wait.
    func linger(_ claim: ClientIDClaim) -> Bool {
        registry.withLock { $0.linger(claim.clientID, claim) }
    }

    /// The device of the claim is there, though another has come with its client id.
    func pass(_ claim: ClientIDClaim) {
        let successor = registry.withLock { $0.pass(claim.clientID, claim) }
        successor?.isFree()
    }

    /// The session of the claim is over. A broker that knew its client id has a moment to forget it.
    ///
    /// - Parameter lingers: The broker keeps the session for a second more.
    func release(_ claim: ClientIDClaim, lingers: Bool, on eventLoop: any EventLoop) {
        if lingers { recent.withLock { $0.insert(claim.clientID, at: .now()) } }
        guard claim.isAtBroker else { return release(claim) }
        Timer.once(in: Self.settling, on: eventLoop) { self.release(claim) }
    }

    private func release(_ claim: ClientIDClaim) {
        let successor = registry.withLock { $0.release(claim.clientID, claim) }
        successor?.isFree()
    }
}

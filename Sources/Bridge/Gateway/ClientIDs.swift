import BridgeCore
import NIOCore
import Synchronization

/// A session's hold on its client id, known to all event loops.
final class ClientIDClaim: Sendable, Hashable {
    let clientID: String
    private let eventLoop: any EventLoop
    private let driver: NIOLoopBound<SessionDriver>

    /// On the driver's event loop.
    init(_ clientID: String, of driver: SessionDriver, on eventLoop: any EventLoop) {
        self.clientID = clientID
        self.eventLoop = eventLoop
        self.driver = NIOLoopBound(driver, eventLoop: eventLoop)
    }

    func takenOver(byContinuation: Bool) {
        eventLoop.execute { self.driver.value.takenOver(byContinuation: byContinuation) }
    }

    static func == (a: ClientIDClaim, b: ClientIDClaim) -> Bool { a === b }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}

/// ``ClientIDRegistry`` for all event loops: one short lock a connected or ended device.
final class ClientIDs: Sendable {
    private let registry = Mutex(ClientIDRegistry<ClientIDClaim>())

    /// The client id is the claim's from now on; whoever had it is told.
    func claim(_ claim: ClientIDClaim, isCleanStart: Bool) {
        let predecessor = registry.withLock { $0.claim(claim.clientID, by: claim) }
        predecessor?.token.takenOver(byContinuation: !isCleanStart)
    }

    /// Whether the will of a device that is gone may wait.
    func linger(_ claim: ClientIDClaim) -> Bool {
        registry.withLock { $0.linger(claim.clientID, claim) }
    }

    func release(_ claim: ClientIDClaim) {
        registry.withLock { $0.release(claim.clientID, claim) }
    }
}

import BridgeCore
import QUICTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The session tickets of the process: what makes handshakes shorter, and early data possible. Asked once a connection,
/// from any event loop.
final class TicketStore: Sendable {
    private let shelf = Mutex(TicketShelf())

    /// A ticket that nobody else gets. ``put(_:for:)`` gives one back that its server has not seen.
    func take(for endpoint: UplinkEndpoint) -> QUICResumption? {
        let now = Int64(time(nil))
        return shelf.withLock { $0.take(for: endpoint, now: now) }
    }

    func put(_ ticket: QUICResumption, for endpoint: UplinkEndpoint) {
        shelf.withLock { $0.put(ticket, for: endpoint) }
    }
}

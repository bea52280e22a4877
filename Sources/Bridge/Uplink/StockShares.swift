import Synchronization

/// Divides `uplink.warm`, the connections that are made ahead of time, among the event loops: a connection stays on the
/// loop that made it, and serves devices of that loop only.
final class StockShares: Sendable {
    private let total: Int
    private let loops: Int
    private let next = Atomic(0)
    private let isNews = Atomic(true)

    init(total: Int, loops: Int) {
        self.total = total
        self.loops = max(loops, 1)
    }

    /// The share of the loop that asks, once: as many as the others have, and one of what remains as long as there is
    /// some.
    func take() -> Int {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return total / loops + (index < total % loops ? 1 : 0)
    }

    /// Whether the first connection of all is ready, which is worth a line in the log.
    func isFirst() -> Bool {
        isNews.exchange(false, ordering: .relaxed)
    }
}

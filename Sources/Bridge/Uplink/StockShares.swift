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

    /// Takes the share of one event loop, which calls this once: the same number for each loop, and one more for as
    /// long as there is a remainder.
    func take() -> Int {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return total / loops + (index < total % loops ? 1 : 0)
    }

    /// Whether this is the first connection that is ready, which is worth logging. True only for the first call.
    func isFirst() -> Bool {
        isNews.exchange(false, ordering: .relaxed)
    }
}

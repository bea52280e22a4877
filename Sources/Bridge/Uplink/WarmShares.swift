import Synchronization

/// Deals `uplink.warm` out to the event loops: a connection stays on the loop that made it, and serves its devices only.
final class WarmShares: Sendable {
    private let total: Int
    private let loops: Int
    private let next = Atomic(0)
    private let isNews = Atomic(true)

    init(total: Int, loops: Int) {
        self.total = total
        self.loops = max(loops, 1)
    }

    /// Of the loop that asks, once: as many as the others, and one of the rest as long as there is some.
    func take() -> Int {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return total / loops + (index < total % loops ? 1 : 0)
    }

    /// Whether the first connection of all is ready, which is worth a line.
    func isFirst() -> Bool {
        isNews.exchange(false, ordering: .relaxed)
    }
}

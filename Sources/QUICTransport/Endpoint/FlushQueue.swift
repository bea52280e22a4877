/// Which connections have to be asked for datagrams, and whether a flush that does so is already coming.
final class FlushQueue {
    /// A burst of all connections is rare, and its room is not kept.
    private static let largestSpare = 256

    private var waiting: [QUICConnectionHandle] = []
    private var waitingCount = 0
    /// The room of the previous round, which the next one uses.
    private var spare: [QUICConnectionHandle] = []
    private var isScheduled = false
    /// Whether the caller of what happens now will flush: datagrams are being read, or deadlines handled.
    var isFlushComing = false
    /// Whether datagrams were written to the socket's channel and not flushed.
    var hasUnflushed = false

    var isEmpty: Bool { waitingCount == 0 }
    /// Whether a flush has nothing to do.
    var isIdle: Bool { waitingCount == 0 && !hasUnflushed }

    func add(_ handle: QUICConnectionHandle) {
        handle.isDirty = true
        waiting.append(handle)
        waitingCount += 1
    }

    func removeAll() {
        waiting = []
        waitingCount = 0
    }

    /// Whether the caller has to have the event loop flush at the end of its tick.
    func schedule() -> Bool {
        guard !isFlushComing, !isScheduled else { return false }
        isScheduled = true
        return true
    }

    func scheduledFlushBegins() {
        isScheduled = false
    }

    /// Takes the connections that wait now. Those that are added from here on wait for the next round.
    func takeRound() -> [QUICConnectionHandle] {
        let round = waiting
        let next = spare
        waiting = next
        waitingCount = 0
        spare = []
        return round
    }

    /// Whether the channel has to be flushed now.
    func takeUnflushed() -> Bool {
        defer { hasUnflushed = false }
        return hasUnflushed
    }

    /// Must be called with the round when it is over.
    func roundEnded(_ round: consuming [QUICConnectionHandle]) {
        round.removeAll(keepingCapacity: true)
        if round.capacity <= Self.largestSpare { spare = round }
    }
}

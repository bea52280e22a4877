import NIOCore
import QUICTransport

/// When an address may be probed again. The clients of an event loop that wait for one broker share this, because each
/// of them hears of every answer.
struct ProbePace {
    /// More addresses at a time are not remembered, and so not slowed down.
    static let capacity = 64

    private var last: [SocketAddress: NIODeadline] = [:]

    /// Whether to send a probe now, which then counts as sent.
    mutating func isDue(_ address: SocketAddress, at now: NIODeadline) -> Bool {
        if let last = last[address], now < last + ScoutPace.interval { return false }
        if last.count >= Self.capacity { last = last.filter { now < $0.value + ScoutPace.interval } }
        if last.count < Self.capacity || last[address] != nil { last[address] = now }
        return true
    }

    /// For tests: how many addresses are remembered.
    var count: Int { last.count }
}

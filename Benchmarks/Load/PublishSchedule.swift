/// Says when each device's next message is due. Every device has a phase of its own, so that messages are spread over
/// the period. The order of devices is the same in every period, which makes the next message known without a search.
package struct PublishSchedule {
    private let order: [(device: Int, phase: Int64)]
    private let period: Double
    private let start: Int64
    private var round = 0
    private var position = 0

    /// - Parameters:
    ///   - rate: Messages per second per device, above 0.
    ///   - start: The beginning of the first period in nanoseconds.
    ///   - generator: Chooses the phases.
    package init(
        devices: Int, rate: Double, start: Int64, using generator: inout some RandomNumberGenerator
    ) {
        precondition(devices > 0 && rate > 0, "there is a message to be scheduled")
        period = 1e9 / rate
        self.start = start
        order = (0..<devices)
            .map { ($0, Int64(Double.random(in: 0..<1, using: &generator) * 1e9 / rate)) }
            .sorted { $0.phase < $1.phase }
    }

    /// When the next message is due, in nanoseconds.
    package var nextDue: Int64 { start + Int64(Double(round) * period) + order[position].phase }

    /// The device whose message is due next, and when. The one after it is next then.
    package mutating func next() -> (device: Int, due: Int64) {
        let next = (order[position].device, nextDue)
        position += 1
        if position == order.count {
            position = 0
            round += 1
        }
        return next
    }
}

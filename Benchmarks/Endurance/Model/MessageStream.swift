/// What has become of the messages of one stream. What is settled is forgotten after a while, so that its memory is
/// that of the open messages.
struct MessageStream: Sendable {
    typealias Delivery = MessageLedger.Delivery

    struct Message: Sendable {
        let sent: Double
        var acknowledged: Double?
        var arrived: Double?
        var delivery: Delivery?
        /// When the sender sent it last.
        var lastSent: Double
        /// How often the sender sent it again.
        var resends = 0
        /// How often it arrived again.
        var repeats = 0
        /// Whether the sender has given it up without an acknowledgement. It may arrive or not.
        var isAbandoned = false

        init(sent: Double) {
            self.sent = sent
            lastSent = sent
        }

        /// Whether an acknowledgement or the arrival is still due.
        var isWaiting: Bool { !isAbandoned && (acknowledged == nil || arrived == nil) }
    }

    /// What an arrival means.
    enum Arrival {
        case first
        /// The first one, but a later message was earlier.
        case late
        /// Not the first.
        case repeated(MessageStream.Message)
        /// Repeated, of a message that was settled a long time ago.
        case repeatedLongAgo
        /// Nobody has sent it.
        case unknown
    }

    private(set) var open: [Int: Message] = [:]
    private(set) var nextSequence = 0
    private var highestArrived = -1
    /// Whether it has been found that nothing happens in this stream.
    var isStalled = false
    /// The highest number that was acknowledged.
    private(set) var lastAcknowledged: Int?

    /// A message was sent for the first time. Numbers only grow.
    mutating func sent(_ sequence: Int, at time: Double) {
        open[sequence] = Message(sent: time)
        nextSequence = max(nextSequence, sequence + 1)
    }

    mutating func resent(_ sequence: Int, at time: Double) {
        open[sequence]?.resends += 1
        open[sequence]?.lastSent = time
    }

    mutating func abandoned(_ sequence: Int) {
        open[sequence]?.isAbandoned = true
    }

    mutating func acknowledged(_ sequence: Int, at time: Double) {
        if open[sequence]?.acknowledged == nil { open[sequence]?.acknowledged = time }
        lastAcknowledged = max(lastAcknowledged ?? -1, sequence)
    }

    mutating func arrived(_ sequence: Int, _ delivery: Delivery, at time: Double) -> Arrival {
        guard sequence < nextSequence else { return .unknown }
        guard var message = open[sequence] else { return .repeatedLongAgo }
        guard message.arrived == nil else {
            open[sequence]?.repeats += 1
            return .repeated(message)
        }
        message.arrived = time
        message.delivery = delivery
        open[sequence] = message
        guard sequence > highestArrived else { return .late }
        highestArrived = sequence
        return .first
    }

    /// Forgets what was settled before `time`.
    mutating func forget(before time: Double, qos: UInt8) {
        open = open.filter { _, message in
            guard let arrived = message.arrived, arrived < time else { return true }
            return qos > 0 && message.acknowledged == nil && !message.isAbandoned
        }
    }
}

import DequeModule

/// One direction of the link, on a clock that the caller brings. What enters passes these, in this order:
///
/// ```
///   rate with a bounded queue ──▶ loss ──▶ delay and jitter ──▶ what is due
/// ```
struct LinkDirection {
    /// Bytes on their way at most, whatever the settings are.
    static let heldLimit = 64 << 20

    private struct Held {
        let packet: [UInt8]
        let due: Int64
    }

    var settings = LinkSettings()
    var statistics = LinkStatistics.Direction()
    private var lossRandom: LinkRandom
    private var jitterRandom: LinkRandom
    /// When the last packet that has been queued will have been put onto the wire, in nanoseconds.
    private var wireFree: Int64 = 0
    private var held: Deque<Held> = []
    private(set) var heldBytes = 0

    /// - Parameter number: Gives each direction random numbers of its own.
    init(seed: UInt64, number: UInt64) {
        lossRandom = LinkRandom(seed: seed, purpose: 2 * number)
        jitterRandom = LinkRandom(seed: seed, purpose: 2 * number + 1)
    }

    /// Zeroes the counters and begins the random numbers again. Settings, and packets on their way, stay.
    mutating func reset(seed: UInt64, number: UInt64) {
        statistics = LinkStatistics.Direction()
        lossRandom = LinkRandom(seed: seed, purpose: 2 * number)
        jitterRandom = LinkRandom(seed: seed, purpose: 2 * number + 1)
    }

    /// When the next packet is due, in nanoseconds.
    var nextDue: Int64? { held.first?.due }

    /// - Parameter now: In nanoseconds; never less than before.
    mutating func enter(_ packet: [UInt8], at now: Int64) {
        guard let onWire = queue(packet.count, at: now), heldBytes + packet.count <= Self.heldLimit else {
            statistics.droppedQueue += 1
            return
        }
        // Each packet takes one number of each kind, so a setting does not change what becomes of later packets.
        let (loss, jitter) = (lossRandom.next(), jitterRandom.next())
        guard loss * 100 >= settings.loss else {
            statistics.droppedLoss += 1
            return
        }
        let delay = settings.delay + settings.jitter * (2 * jitter - 1)
        let due = max(onWire + Int64(max(0, delay) * 1e6), held.last?.due ?? 0)
        held.append(Held(packet: packet, due: due))
        heldBytes += packet.count
    }

    /// Takes the next packet that is due.
    mutating func leave(at now: Int64) -> [UInt8]? {
        guard let due = nextDue, due <= now, let first = held.popFirst() else { return nil }
        heldBytes -= first.packet.count
        return first.packet
    }

    /// When a packet of this length has been put onto the wire, behind those that wait; `nil` if it finds no room.
    private mutating func queue(_ length: Int, at now: Int64) -> Int64? {
        guard settings.rate > 0 else {
            wireFree = now
            return now
        }
        let nanosecondsPerByte = 8000 / settings.rate
        let start = max(wireFree, now)
        let waiting = Double(start - now) / nanosecondsPerByte
        guard waiting + Double(length) <= settings.queue * 1024 else { return nil }
        wireFree = start + Int64(Double(length) * nanosecondsPerByte)
        return wireFree
    }
}

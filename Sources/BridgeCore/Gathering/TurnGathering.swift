import NIOCore

/// Decides how long a busy event loop waits before its next turn, so that one turn carries what several devices send
/// (`gather_delay`).
///
/// At a moderate load, most of what a message costs is its share of a turn: a thread is woken, sockets are asked one by
/// one, a datagram is made and sealed, and the processor's caches have to be filled again. A turn that carries three
/// messages costs little more than one that carries one.
///
/// The loop waits only if that gains something: if clearly more than one packet is to be expected meanwhile. So a few
/// devices that send now and then are not delayed, and one that sends its next message when the last one is
/// acknowledged is not delayed for long: what it brings is one packet per wait. From the first packet of a turn to the
/// end of the wait passes no more than the delay, so a loop whose turns take as long as the delay does not wait at all.
package struct TurnGathering: Sendable {
    /// The rate of packets is known after so many delays.
    private static let delaysPerWindow: Int64 = 16
    /// At which a loop begins to wait, and below which it ceases to: packets during the delay, in quarters.
    private static let quartersToBegin: Int64 = 6
    private static let quartersToContinue: Int64 = 5

    private let delay: TimeAmount
    /// When the first packet of the present turn came.
    private var firstArrival: NIODeadline?
    private var windowStart: NIODeadline
    private var arrivals: Int64 = 0
    private(set) var isWaiting = false

    /// - Parameter delay: More than zero.
    package init(delay: TimeAmount, at now: NIODeadline) {
        self.delay = delay
        windowStart = now
    }

    /// A device or the broker has sent something.
    ///
    /// - Parameter now: Only evaluated for the first of a turn.
    package mutating func arrived(at now: @autoclosure () -> NIODeadline) {
        arrivals += 1
        if firstArrival == nil { firstArrival = now() }
    }

    /// The event loop has done everything that there was to do.
    ///
    /// - Returns: How long it waits before it looks for more; zero if not at all.
    package mutating func turnEnded(at now: NIODeadline) -> TimeAmount {
        updateRate(at: now)
        defer { firstArrival = nil }
        guard isWaiting, let firstArrival else { return .zero }
        return max(firstArrival + delay - now, .zero)
    }

    private mutating func updateRate(at now: NIODeadline) {
        let window = now - windowStart
        guard window >= delay * Self.delaysPerWindow else { return }
        let quarters = isWaiting ? Self.quartersToContinue : Self.quartersToBegin
        isWaiting = 4 * arrivals * delay.nanoseconds >= quarters * window.nanoseconds
        arrivals = 0
        windowStart = now
    }
}

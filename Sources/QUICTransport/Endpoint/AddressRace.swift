import NIOCore

/// Decides which of a broker's addresses is tried when ("Happy Eyeballs", RFC 8305): the families take turns, and the
/// next address is tried after a short while or as soon as one has failed, until one has answered or all have failed.
/// Nothing here makes a connection.
///
/// An attempt may carry early data, a device's CONNECT. A CONNECT should not go to two servers at once, so the other
/// addresses wait longer in that case.
package struct AddressRace: Sendable {
    /// What to do now.
    package enum Step: Sendable, Equatable {
        /// Try this address, and ask again.
        case start(SocketAddress)
        /// Ask again at that time or after a failure; with `nil`, only after a failure.
        case wait(until: NIODeadline?)
        /// Nothing is under way and no address is left. The text is the most informative of the failures.
        case failed(String)
    }

    /// How many addresses are tried at most. A name with more addresses gains nothing from them.
    package static let limit = 8
    /// The "Connection Attempt Delay" (RFC 8305 5).
    package static let delay = TimeAmount.milliseconds(250)
    /// The delay after an attempt with early data.
    package static let earlyDelay = TimeAmount.seconds(1)

    private var waiting: ArraySlice<SocketAddress>
    private var running = 0
    private var nextStart: NIODeadline
    private let deadline: NIODeadline
    private var failure: String?

    /// - Parameters:
    ///   - addresses: In the system's order of preference (RFC 6724).
    ///   - family: The family to begin with, if the name has such an address; `nil` to begin as the system prefers.
    ///   - deadline: No address is tried from then on.
    package init(
        _ addresses: [SocketAddress], preferring family: NIOBSDSocket.ProtocolFamily? = nil, at now: NIODeadline,
        until deadline: NIODeadline
    ) {
        waiting = Self.interleaved(addresses, first: family).prefix(Self.limit)
        nextStart = now
        self.deadline = deadline
    }

    /// Returns what to do now. An address that is returned counts as being tried.
    package mutating func next(at now: NIODeadline) -> Step {
        if now >= deadline { waiting = [] }
        guard !waiting.isEmpty else {
            return running > 0 ? .wait(until: nil) : .failed(failure ?? "no address is left to try")
        }
        guard running == 0 || now >= nextStart else { return .wait(until: nextStart) }
        guard let address = waiting.popFirst() else { preconditionFailure("it was not empty just now") }
        running += 1
        nextStart = now + Self.delay
        return .start(address)
    }

    /// The attempt that has just begun carries early data.
    package mutating func sentEarlyData(at now: NIODeadline) {
        nextStart = now + Self.earlyDelay
    }

    /// An attempt has failed: the next address need not wait.
    ///
    /// - Parameter isSilence: Nothing came back at all. An address that answered says more about the cause.
    package mutating func failed(_ why: String, isSilence: Bool, at now: NIODeadline) {
        running -= 1
        nextStart = now
        if failure == nil || !isSilence { failure = why }
    }

    /// Takes one address of each family in turn, each family in the order given, and then the rest of the longer one.
    private static func interleaved(
        _ addresses: [SocketAddress], first family: NIOBSDSocket.ProtocolFamily?
    ) -> [SocketAddress] {
        let first = addresses.first { $0.protocol == family }?.protocol ?? addresses.first?.protocol
        let preferred = addresses.filter { $0.protocol == first }
        let others = addresses.filter { $0.protocol != first }
        let common = min(preferred.count, others.count)
        let pairs = zip(preferred, others).flatMap { [$0, $1] }
        return pairs + preferred.dropFirst(common) + others.dropFirst(common)
    }
}

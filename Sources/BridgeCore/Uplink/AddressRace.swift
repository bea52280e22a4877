import NIOCore

/// Which of a broker's addresses is tried when ("Happy Eyeballs", RFC 8305): families in turn, the next address after a
/// short while or as soon as one has failed, until one has answered or all have failed. Nothing here makes a connection.
///
/// An attempt may carry early data, a device's CONNECT. As that is better not with two servers at a time, the others wait
/// longer for it.
package struct AddressRace: Sendable {
    /// What is to be done now.
    package enum Step: Sendable, Equatable {
        /// Try this address, and ask again.
        case start(SocketAddress)
        /// Ask again then, or after a failure; nil: after a failure.
        case wait(until: NIODeadline?)
        /// Nothing is under way and nothing left: what went wrong, the most telling of it.
        case failed(String)
    }

    /// Addresses that are tried at most. A name that has more gains nothing by them.
    package static let limit = 8
    /// The "Connection Attempt Delay" (RFC 8305 5).
    package static let delay = TimeAmount.milliseconds(250)
    /// The same behind an attempt with early data.
    package static let earlyDelay = TimeAmount.seconds(1)

    private var waiting: ArraySlice<SocketAddress>
    private var running = 0
    private var nextStart: NIODeadline
    private let deadline: NIODeadline
    private var failure: String?

    /// - Parameters:
    ///   - addresses: In the system's order of preference (RFC 6724).
    ///   - family: To begin with, where there is such an address; nil: as the system prefers.
    ///   - deadline: From then on no address is begun with.
    package init(
        _ addresses: [SocketAddress], preferring family: NIOBSDSocket.ProtocolFamily? = nil, at now: NIODeadline,
        until deadline: NIODeadline
    ) {
        waiting = Self.interleaved(addresses, first: family).prefix(Self.limit)
        nextStart = now
        self.deadline = deadline
    }

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

    /// The attempt just begun carries early data.
    package mutating func sentEarlyData(at now: NIODeadline) {
        nextStart = now + Self.earlyDelay
    }

    /// An attempt has failed: the next address need not wait.
    ///
    /// - Parameter isSilence: That nothing came back at all. What an address answered says more.
    package mutating func failed(_ why: String, isSilence: Bool, at now: NIODeadline) {
        running -= 1
        nextStart = now
        if failure == nil || !isSilence { failure = why }
    }

    /// One of this family, one of the other, each in the order given; the rest when a family has run out.
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

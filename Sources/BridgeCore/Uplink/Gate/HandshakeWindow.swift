import NIOCore

/// Limits how many handshakes may be under way to one server at once: as many as it accepts, which it shows by refusing
/// others.
///
/// EMQX accepts as many connections at a time as it has acceptors waiting, and refuses further ones with
/// CONNECTION_REFUSED (RFC 9000 20.1). It is not down then: an attempt some milliseconds later succeeds. So a refusal
/// halves the window, as a loss halves that of a TCP connection, and successes widen it.
///
/// A server that refuses nothing is limited by its CPU. Then more handshakes at once only wait in its socket's buffer,
/// and each that finds the buffer full is tried again only after a second (RFC 9002 6.2.2). So the window also stops
/// growing when the handshakes take so long that ``queue`` of them must be waiting, and shrinks at twice as many.
///
/// ```
///   success, while the window is in use                        refusal
///     before the first refusal: limit + 1                        limit / 2 and a pause,
///     after it:                 limit + 1 / limit                once for all that were under way
///     too many wait:            limit, or limit - 1
///
///                 1 ............. 8 (start) ............. 256
/// ```
/// The pause doubles with each further refusal as long as none has succeeded in between, and has a jitter, so that many
/// gateways do not retry in step.
package struct HandshakeWindow: Sendable {
    /// Permission for one handshake, to be given back with its outcome.
    package struct Place: Sendable, Equatable {
        /// How often the window had been halved when the place was given.
        fileprivate let epoch: UInt64
        fileprivate let givenAt: NIODeadline
    }

    /// The answer to a request for a handshake.
    package enum Decision: Sendable, Equatable {
        case go(Place)
        /// Ask again at that time; with `nil`, when a handshake that is under way has an outcome.
        case wait(until: NIODeadline?)
    }

    /// Half of what EMQX accepts at once without configuration.
    package static let start = 8.0
    /// A wider window is useless, because a server that accepts that many handshakes at once is limited by its CPU.
    package static let widest = 256.0
    /// How many handshakes may wait for the server's CPU. This keeps it busy, and fits into the socket buffer that a
    /// kernel gives by default.
    package static let queue = 32.0
    /// The pause after the first refusal, before its jitter.
    package static let shortestPause = TimeAmount.milliseconds(5)
    /// The longest pause after many refusals, before its jitter.
    package static let longestPause = TimeAmount.seconds(1)

    /// How many handshakes may be under way at once; only its whole part counts.
    package private(set) var limit = start
    /// Handshakes that are under way.
    package private(set) var count = 0
    private var epoch: UInt64 = 0
    private var wasRefused: Bool { epoch > 0 }
    private var pause = shortestPause
    /// The shortest time that a handshake has taken since none was under way; `nil` if none has succeeded since.
    private var shortest: TimeAmount?
    /// No handshake begins before this time.
    private var resumesAt = NIODeadline.distantPast
    /// Since when the server has done nothing but refuse; `nil` if its last answer was another.
    package private(set) var refusedSince: NIODeadline?
    private var lastRefusal = NIODeadline.distantPast

    package init() {}

    /// Asks whether a handshake may begin now.
    package mutating func request(at now: NIODeadline) -> Decision {
        guard now >= resumesAt else { return .wait(until: resumesAt) }
        guard count < Int(limit) else { return .wait(until: nil) }
        if count == 0 { shortest = nil }
        count += 1
        return .go(Place(epoch: epoch, givenAt: now))
    }

    /// The handshake completed.
    package mutating func succeeded(_ place: Place, at now: NIODeadline) {
        let waiting = waiting(place, at: now)
        // A window that is not full has shown nothing about the room behind its limit.
        if waiting >= Self.queue * 2 {
            limit = max(limit - 1, Self.start)
        } else if waiting < Self.queue, count >= Int(limit) {
            limit = min(limit + (wasRefused ? 1 / limit : 1), Self.widest)
        }
        answered(place)
    }

    /// How many of the handshakes under way wait for the server's CPU, or for this program's: what the time that one
    /// has taken exceeds the shortest one by is spent waiting.
    private mutating func waiting(_ place: Place, at now: NIODeadline) -> Double {
        let taken = max(now - place.givenAt, .zero)
        let shortest = min(shortest ?? taken, taken)
        self.shortest = shortest
        guard taken > .zero else { return 0 }
        return Double(count) * (1 - Double(shortest.nanoseconds) / Double(taken.nanoseconds))
    }

    /// The handshake ended in another way than by a refusal, or the connection is no longer wanted.
    package mutating func ended(_ place: Place) {
        count = max(count - 1, 0)
    }

    /// The server is there, and does something other than refuse.
    private mutating func answered(_ place: Place) {
        ended(place)
        pause = Self.shortestPause
        refusedSince = nil
    }

    /// The server refused the connection. `jitter` is a random number from 0 to 1.
    package mutating func refused(_ place: Place, at now: NIODeadline, jitter: Double) {
        ended(place)
        // Between two refusals that belong together there is at most one pause and one handshake.
        if refusedSince == nil || lastRefusal + Self.longestPause * 3 < now { refusedSince = now }
        lastRefusal = now
        // Handshakes that were under way at the last refusal were refused for the same reason.
        guard place.epoch == epoch else { return }
        epoch &+= 1
        limit = max(limit / 2, 1)
        let factor = 0.5 + min(max(jitter, 0), 1)
        resumesAt = now + .nanoseconds(Int64(Double(pause.nanoseconds) * factor))
        pause = min(pause * 2, Self.longestPause)
    }
}

import CNGTCP2
import Synchronization

/// Prevents early data from being replayed: it remembers the ClientHellos that came with early data (RFC 8446 8.2). One
/// object serves all connections and event loops of a server.
///
/// GnuTLS refuses early data under a ticket that is older than this object. So nothing that an earlier process saw,
/// which this one cannot know, can be replayed; such a ticket still saves the exchange of certificates. GnuTLS also
/// refuses ClientHellos that come more than `window` later than they say, so nothing has to be remembered for longer.
///
/// GnuTLS restarts a recording that is older than the window, and would from then on refuse all older tickets, which on
/// a busy server are nearly all there are. So there are several recordings, each used for only a part of the window.
package final class QUICAntiReplay: Sendable {
    /// GnuTLS's recording, which begins at one point in time.
    final class Recording: @unchecked Sendable {
        let handle: OpaquePointer
        let start: ContinuousClock.Instant

        /// `nil` if there is not enough memory.
        init?(window: Duration, start: ContinuousClock.Instant, owner: QUICAntiReplay) {
            let milliseconds = UInt32(clamping: window.nanoseconds / 1_000_000)
            // Unretained, because connections keep the owner, through their TLS context, for as long as they keep this.
            let context = Unmanaged.passUnretained(owner).toOpaque()
            let remember: bridge_quic_remember = { context, id in
                guard let context, let id else { return false }
                return Unmanaged<QUICAntiReplay>.fromOpaque(context).takeUnretainedValue()
                    .remember(HelloID(id), at: .now)
            }
            guard let handle = bridge_quic_anti_replay_new(milliseconds, remember, context) else { return nil }
            self.handle = handle
            self.start = start
        }

        deinit {
            bridge_quic_anti_replay_free(handle)
        }
    }

    /// Tells one ClientHello from another.
    struct HelloID: Hashable {
        private let low: UInt64
        private let high: UInt64

        /// From `BRIDGE_QUIC_HELLO_ID_LENGTH` bytes.
        init(_ bytes: UnsafePointer<UInt8>) {
            let bytes = UnsafeRawPointer(bytes)
            low = bytes.loadUnaligned(as: UInt64.self)
            high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        }
    }

    /// An ID is kept for at least one window and at most two.
    private struct State {
        var recordings: [Recording] = []
        var current: Set<HelloID> = []
        var previous: Set<HelloID> = []
        var turnedAt: ContinuousClock.Instant
    }

    /// How old a ticket may be at most for early data to be accepted.
    package let window: Duration
    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - window: From a second to 30 days. Tickets younger than a quarter of it always allow early data, and those
    ///     older than all of it never do.
    ///   - capacity: How many ClientHellos are remembered, at 16 bytes each. Beyond that early data is refused, which
    ///     costs the client a round trip.
    package init(window: Duration = .seconds(4 * 3600), capacity: Int = 100_000) {
        self.window = min(max(window, .seconds(1)), .seconds(30 * 86_400))
        self.capacity = capacity
        state = Mutex(State(turnedAt: .now))
        _ = recording(at: .now)
    }

    /// The recording for a connection that begins now; `nil` if there is not enough memory.
    func recording(at now: ContinuousClock.Instant = .now) -> Recording? {
        state.withLock { state in
            // A recording is used for three quarters of the window. The rest is for handshakes that take long.
            state.recordings.removeAll { $0.start + window * 3 / 4 <= now }
            if state.recordings.last.map({ $0.start + window / 2 <= now }) ?? true,
                let recording = Recording(window: window, start: now, owner: self)
            {
                state.recordings.append(recording)
            }
            return state.recordings.first
        }
    }

    /// - Returns: Whether early data may be accepted. It may not if the ID was seen before or there is no room for it.
    func remember(_ id: HelloID, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            if state.turnedAt + window <= now {
                state.previous = state.turnedAt + window * 2 <= now ? [] : state.current
                state.current = []
                state.turnedAt = now
            }
            guard state.current.count + state.previous.count < capacity, !state.previous.contains(id) else {
                return false
            }
            return state.current.insert(id).inserted
        }
    }
}

import CNGTCP2
import Synchronization

/// Keeps early data from being played again: remembers the ClientHellos that brought some (RFC 8446 8.2). One for all
/// connections and event loops of a server.
///
/// GnuTLS refuses early data under a ticket of before this object was made, so that what an earlier process saw, and
/// this one cannot know, is of no use; such a ticket still saves the certificates. It also refuses ClientHellos that
/// come more than `window` later than they say, which is why nothing has to be remembered for longer.
///
/// GnuTLS begins a recording anew once it is older than the window, and would refuse all older tickets from then on, on
/// a busy server nearly all there are. So there are several, each of which is used for a part of the window only.
package final class QUICAntiReplay: Sendable {
    /// GnuTLS's recording, from one point in time on.
    final class Recording: @unchecked Sendable {
        let handle: OpaquePointer
        let start: ContinuousClock.Instant

        /// Nil where memory is out.
        init?(window: Duration, start: ContinuousClock.Instant, owner: QUICAntiReplay) {
            let milliseconds = UInt32(clamping: window.nanoseconds / 1_000_000)
            // Unretained: connections keep the owner (by their TLS context) for as long as they keep this.
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

    /// An ID stays for one window at least, and for two at most.
    private struct State {
        var recordings: [Recording] = []
        var current: Set<HelloID> = []
        var previous: Set<HelloID> = []
        var turnedAt: ContinuousClock.Instant
    }

    package let window: Duration
    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - window: tickets younger than a quarter of it are always good for early data, older ones than the whole never.
    ///     A second to a month.
    ///   - capacity: how many ClientHellos are remembered, at 16 bytes each. With more early data is refused, and the
    ///     handshake takes its round trip.
    package init(window: Duration = .seconds(4 * 3600), capacity: Int = 100_000) {
        self.window = min(max(window, .seconds(1)), .seconds(30 * 86_400))
        self.capacity = capacity
        state = Mutex(State(turnedAt: .now))
        _ = recording(at: .now)
    }

    /// What a connection that begins now is to be made with. Nil where memory is out.
    func recording(at now: ContinuousClock.Instant = .now) -> Recording? {
        state.withLock { state in
            // In use for three quarters of the window: the rest is for handshakes that take their time.
            state.recordings.removeAll { $0.start + window * 3 / 4 <= now }
            if state.recordings.last.map({ $0.start + window / 2 <= now }) ?? true,
                let recording = Recording(window: window, start: now, owner: self)
            {
                state.recordings.append(recording)
            }
            return state.recordings.first
        }
    }

    /// False where it was there already, or there is no room.
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

import CNGTCP2
import DequeModule
import NIOCore

/// One QUIC connection without sockets, clock or threads: datagrams, calls and the time come in; datagrams, events and
/// the next deadline come out. After every call that goes in, call `nextDatagram` until it returns nil, and `nextEvent`
/// until it returns nil.
///
/// ```
///   open --close(), fatal error--> closing --3 probe timeouts--> closed
///    |                                                             ^ ^
///    +--------the peer's CONNECTION_CLOSE--> draining -------------+ |
///    +--------idle timeout, stateless reset--------------------------+
/// ```
///
/// Not thread-safe: all calls come from one place at a time. May be dropped at any moment, which frees everything and
/// says nothing to the peer. Callbacks of ngtcp2 only change what is stored here; none calls back into it.
package final class QUICConnection {
    enum Phase {
        case open
        /// RFC 9000 10.2.1. The packet goes out once, and again when the peer has not understood.
        case closing(Closing)
        /// RFC 9000 10.2.2.
        case draining(until: NIODeadline)
        case closed
    }

    struct Closing {
        var packet: ByteBuffer
        var remote: SocketAddress
        var until: NIODeadline
        var isDue = true
        /// Datagrams that came since: the packet is repeated at the 1st, 2nd, 4th, 8th, ...
        var received = 0
    }

    /// One of our streams, or of the peer's.
    struct Stream {
        var queue = SendQueue()
        /// Stands in `sendable`.
        var isSendable = false
        /// Waits for credit: of its own, or of the connection.
        var isBlocked = false
        /// The peer takes no more, or we gave up.
        var isSendingOver = false
    }

    let configuration: QUICConfiguration
    let tls: QUICTLSContext
    /// Nil on a server.
    let serverName: String?
    var isServer: Bool { serverName == nil }
    package let localAddress: SocketAddress
    package internal(set) var remoteAddress: SocketAddress

    /// Owned. Set once, right after `init`, because it holds a pointer to this object.
    var conn: OpaquePointer?
    var phase = Phase.open
    var events: Deque<QUICEvent> = []
    var streams: [QUICStreamID: Stream] = [:]
    /// Streams with something to send, each once, in turn.
    var sendable: Deque<QUICStreamID> = []
    /// Streams that wait for the connection's own credit.
    var blocked: Set<QUICStreamID> = []
    var offeredVersions: [UInt32] = []
    var wasReset = false
    var keepAliveIsDue = false
    /// Streams of the peer's that ended since the last call: each makes room for another.
    var streamsToAllow = 0
    /// Sending goes on then: the burst was long enough, or ngtcp2 spaces its packets.
    var resumeAt: NIODeadline?
    var burst = 0
    var hasWrittenInBurst = false
    var counters = QUICStatistics()
    let qlog: QLogFile?
    package internal(set) var isHandshakeCompleted = false
    package internal(set) var isHandshakeConfirmed = false

    init(
        configuration: QUICConfiguration, tls: QUICTLSContext, serverName: String?, local: SocketAddress,
        remote: SocketAddress, qlog: QLogFile?
    ) {
        self.configuration = configuration
        self.tls = tls
        self.serverName = serverName
        self.localAddress = local
        self.remoteAddress = remote
        self.qlog = qlog
    }

    deinit {
        bq_conn_free(conn)
    }

    package func nextEvent() -> QUICEvent? {
        events.popFirst()
    }

    /// When `handleDeadline` must be called. Nil: never, the connection is closed.
    package var deadline: NIODeadline? {
        switch phase {
        case .open:
            let due = NIODeadline.uptimeNanoseconds(bq_conn_deadline(conn))
            return resumeAt.map { min($0, due) } ?? due
        case .closing(let closing): return closing.until
        case .draining(let until): return until
        case .closed: return nil
        }
    }

    /// The closing or draining period is over too (RFC 9000 10.2): nothing more comes, the object may be dropped.
    package var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }

    var isOpen: Bool {
        if case .open = phase { true } else { false }
    }

    package var statistics: QUICStatistics {
        var stats = bq_stats()
        bq_conn_stats(conn, &stats)
        var result = counters
        result.smoothedRTT = .nanoseconds(Int64(clamping: stats.smoothed_rtt))
        result.minRTT = .nanoseconds(Int64(clamping: stats.min_rtt))
        result.latestRTT = .nanoseconds(Int64(clamping: stats.latest_rtt))
        result.congestionWindow = stats.congestion_window
        result.bytesInFlight = stats.bytes_in_flight
        result.datagramSize = stats.datagram_size
        result.packetsLost = stats.packets_lost < 0 ? nil : UInt64(stats.packets_lost)
        return result
    }

    /// Destination connection IDs under which datagrams of this connection arrive: our own that are valid now.
    package var connectionIDs: [QUICConnectionID] {
        let stride = QUICConnectionID.maximumLength
        let maximum = 32
        var bytes = [UInt8](repeating: 0, count: stride * maximum)
        var lengths = [Int](repeating: 0, count: maximum)
        let count = bq_conn_connection_ids(conn, &bytes, stride, &lengths, maximum)
        return (0..<count).compactMap { index in
            QUICConnectionID(bytes[(index * stride)..<(index * stride + lengths[index])])
        }
    }
}

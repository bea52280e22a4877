/// The settings of a connection. The same value serves many connections.
package struct QUICConfiguration: Sendable {
    /// What decides how much may be under way at once (RFC 9002 7).
    package enum CongestionControl: Sendable, Equatable {
        /// CUBIC (RFC 9438): slows down when packets are lost.
        case cubic
        /// Google's BBR, version 2 or later: follows the bandwidth and the round-trip time that it measures.
        case bbr
    }

    /// Which datagrams go out twice, the second time as an exact copy that the peer ignores if the first one arrives.
    package enum SendTwice: Sendable, Equatable {
        case never
        /// Those with stream data that has been sent before, unless they are full.
        case retransmissions
        /// These, and all others with stream data that have up to ``smallDatagram`` bytes.
        case small
    }

    /// The largest datagram that counts as small, in bytes of UDP payload.
    package static let smallDatagram = 600

    /// Protocol names in order of preference (RFC 7301). A client offers all of them; a server chooses the first of its
    /// own that the client offers, and refuses the handshake if there is none.
    package var alpn: [String]
    /// The longest time from the first datagram to the end of the handshake.
    package var handshakeTimeout: Duration = .seconds(10)
    /// `max_idle_timeout` (RFC 9000 10.1): the connection ends, without telling the peer, after this long without a
    /// datagram from it. The smaller of both sides' values applies.
    package var idleTimeout: Duration = .seconds(120)
    /// A PING is sent after this long without traffic, once the handshake is confirmed. With `nil`, none is sent.
    package var keepAlive: Duration? = .seconds(25)
    /// The largest UDP payload that is ever sent, in bytes, from 1200 to 65527. Path MTU discovery goes up to it.
    package var maximumDatagramSize: Int = 1452
    /// Whether to find out if the path carries datagrams larger than 1200 bytes (RFC 8899). Otherwise none is larger.
    package var pathMTUDiscovery: Bool = true
    /// How many bytes the peer may send on all streams together before `consumed` grants more.
    package var initialMaxData: UInt64 = 262_144
    /// How many bytes the peer may send on one stream before `consumed` grants more.
    package var initialMaxStreamData: UInt64 = 262_144
    /// What this grows to, doubling each time, while a stream's bytes are consumed as fast as they come: otherwise a
    /// stream could carry no more than one window per round trip. 0 if it must not grow. `initialMaxData` does not grow.
    package var largestStreamWindow: UInt64 = 0
    /// How many bidirectional streams the peer may have open at once. A stream that closes makes room for another.
    package var maxBidiStreams: Int = 0
    /// How many of the peer's connection IDs are kept for migration (`active_connection_id_limit`), 2 to 8.
    package var activeConnectionIDLimit: Int = 4
    /// How the connection IDs that this side issues are laid out, including that of a Retry. Only the ID in a client's
    /// first datagrams is the client's choice.
    package var connectionIDs = ConnectionIDLayout()
    /// Whether `tlsInfo` has the peer's certificates for as long as the connection exists. Otherwise they are freed with
    /// the rest of the handshake.
    package var keepsPeerCertificates = false
    /// How fast to send (RFC 9002 7).
    package var congestionControl: CongestionControl = .bbr
    /// Which datagrams go out twice.
    package var sendTwice: SendTwice = .retransmissions
    /// The longest time until a packet of the peer's is acknowledged (RFC 9000 13.2.1), in whole milliseconds. All but 2 ms
    /// of it is used, and nothing if data goes out sooner. The peer adds it to its probe timeout, so that a last packet
    /// that is lost is noticed later by as much.
    package var maxAckDelay: Duration = .milliseconds(5)
    /// The directory for one qlog file (`.sqlog`) per connection. With `nil`, none is written.
    package var qlogDirectory: String?

    package init(alpn: [String]) {
        self.alpn = alpn
    }

    /// How many times as large as the initial one a stream's window may become.
    private static let windowGrowth: UInt64 = 8

    /// Sets the windows of this many streams, and lets each of them grow to eight times as much. Together they have
    /// room for that, so a stream whose bytes are not consumed takes no credit from the others.
    package mutating func setWindows(_ window: Int, streams: Int) {
        initialMaxStreamData = UInt64(window)
        let (largest, overflow) = UInt64(window).multipliedReportingOverflow(by: Self.windowGrowth)
        largestStreamWindow = overflow ? .max : largest
        let (all, overflows) = largestStreamWindow.multipliedReportingOverflow(by: UInt64(streams))
        initialMaxData = overflows ? .max : all
    }

    /// How many bytes of a stream may be on their way, beside those that wait to be sent, if `limit` is what the owner
    /// buffers for it: as many as a peer with the same settings takes.
    package static func inFlight(beside limit: Int) -> Int {
        let (all, overflow) = limit.multipliedReportingOverflow(by: Int(windowGrowth) - 1)
        return overflow ? .max : all
    }
}

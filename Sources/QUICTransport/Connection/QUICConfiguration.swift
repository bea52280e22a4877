/// What a connection is made with. The same value serves many connections.
package struct QUICConfiguration: Sendable {
    package enum CongestionControl: Sendable, Equatable {
        case cubic
        case bbr
    }

    /// Protocol names in order of preference (RFC 7301). A client offers all of them; a server takes the first of its
    /// own that the client offers, and refuses the handshake when there is none.
    package var alpn: [String]
    /// From the first datagram to the end of the handshake.
    package var handshakeTimeout: Duration = .seconds(10)
    /// `max_idle_timeout`: the connection ends silently after this long without a datagram from the peer. The smaller
    /// of both sides' values holds.
    package var idleTimeout: Duration = .seconds(120)
    /// A PING is sent after this long without traffic, once the handshake is confirmed. Nil: never.
    package var keepAlive: Duration? = .seconds(25)
    /// The largest UDP payload that is ever sent, in bytes; path MTU discovery goes up to it. 1200 to 65527.
    package var maximumDatagramSize: Int = 1452
    /// Whether larger datagrams than 1200 bytes are probed for (RFC 8899). Without, datagrams stay at 1200 bytes.
    package var pathMTUDiscovery: Bool = true
    /// Bytes the peer may have under way on all streams together before `consumed` grants more.
    package var initialMaxData: UInt64 = 262_144
    /// Bytes the peer may have under way on one stream before `consumed` grants more.
    package var initialMaxStreamData: UInt64 = 262_144
    /// Bidirectional streams the peer may have open at once. A stream that closes makes room for another.
    package var maxBidiStreams: Int = 0
    /// Connection IDs of the peer's that are kept for migration (`active_connection_id_limit`), 2 to 8.
    package var activeConnectionIDLimit: Int = 4
    /// The first byte of every connection ID this side issues, that of a Retry included, so that a server with several
    /// event loops finds the one that has the connection. Only the ID that a client chooses in its first datagrams is
    /// not ours. Nil: random.
    package var connectionIDPrefix: UInt8?
    package var congestionControl: CongestionControl = .cubic
    /// The directory for one qlog file (`.sqlog`) a connection. Nil: none is written.
    package var qlogDirectory: String?

    package init(alpn: [String]) {
        self.alpn = alpn
    }
}

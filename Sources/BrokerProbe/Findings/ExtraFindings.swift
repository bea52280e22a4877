/// The largest datagram that reaches the broker.
package struct DatagramFinding: Sendable, Equatable, Encodable {
    /// Bytes of UDP payload: the result of path MTU discovery (RFC 8899), 1200 if no larger one was answered.
    package var bytes: Int
    /// The size that was tried at most.
    package var limit: Int
    /// Whether path MTU discovery had come to its end. Otherwise larger datagrams may pass, too.
    package var isFinal: Bool

    package init(bytes: Int, limit: Int, isFinal: Bool = true) {
        self.bytes = bytes
        self.limit = limit
        self.isFinal = isFinal
    }
}

/// Whether the connection goes on after the client's address has changed, as behind a NAT that forgot its mapping.
package struct RebindFinding: Sendable, Equatable, Encodable {
    package enum Proof: String, Sendable, Encodable {
        case pingreq = "PINGREQ"
        case quicPing = "QUIC PING"
    }

    /// What was sent from the new port.
    package var proof: Proof
    /// The UDP ports of this machine.
    package var fromPort: Int?
    package var toPort: Int?
    /// Until the answer came; `nil` if none did.
    package var milliseconds: Double?
    /// Why no answer came.
    package var problem: String?

    package init(
        proof: Proof, fromPort: Int? = nil, toPort: Int? = nil, milliseconds: Double? = nil, problem: String? = nil
    ) {
        self.proof = proof
        self.fromPort = fromPort
        self.toPort = toPort
        self.milliseconds = milliseconds
        self.problem = problem
    }
}

/// What the streams of one connection can be used for.
package struct StreamsFinding: Sendable, Equatable, Encodable {
    package enum Use: String, Sendable, Encodable {
        /// ALPN `mqtt-mux`: each stream has an MQTT session of its own.
        case mux
        /// Further streams belong to the session of the first one, as at EMQX.
        case dataStreams = "data-streams"
        /// The connection has one stream.
        case single
        /// More streams may be opened, but whether they are of use was not found out.
        case unknown
    }

    package var use: Use
    /// How many bidirectional streams the broker allows at once.
    package var allowed: Int
    /// What came of a second stream, in words; `nil` if none was tried.
    package var second: String?

    package init(use: Use, allowed: Int, second: String? = nil) {
        self.use = use
        self.allowed = allowed
        self.second = second
    }
}

/// Session tickets, and early data under them.
package struct TicketFinding: Sendable, Equatable, Encodable {
    /// Whether the first connection brought a ticket.
    package var hasTicket: Bool
    /// In seconds.
    package var lifetime: Int64?
    /// Whether the ticket allows early data (0-RTT).
    package var allowsEarlyData = false
    /// Whether the second connection's handshake was the short one.
    package var isResumed = false
    /// Whether the second connection could have sent early data. It sends none.
    package var isEarlyDataAccepted = false
    /// The second handshake.
    package var milliseconds: Double?
    /// Why there was no second connection.
    package var problem: String?

    package init(hasTicket: Bool) {
        self.hasTicket = hasTicket
    }
}

/// How many connections were accepted that were begun at the same moment.
package struct BurstFinding: Sendable, Equatable, Encodable {
    package var connections: Int
    package var accepted = 0
    /// Those refused with CONNECTION_REFUSED (0x2), or closed because the broker has too much to do.
    package var refused = 0
    /// Those that failed in another way.
    package var failed = 0
    /// The first failure of another kind.
    package var problem: String?
    /// Until the last of them was accepted or refused.
    package var milliseconds: Double = 0

    package init(connections: Int) {
        self.connections = connections
    }
}

/// Whether MQTT over TLS over TCP is there, for networks that block UDP.
package struct FallbackFinding: Sendable, Equatable, Encodable {
    package var port: Int
    /// From the DNS lookup to the verified certificate; `nil` if that failed.
    package var milliseconds: Double?
    /// Why it failed.
    package var problem: String?

    package init(port: Int, milliseconds: Double? = nil, problem: String? = nil) {
        self.port = port
        self.milliseconds = milliseconds
        self.problem = problem
    }
}

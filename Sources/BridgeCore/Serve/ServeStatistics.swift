/// What `serve` has done since it started. There is one value per event loop, and they are added up for the log.
package struct ServeStatistics: Sendable, Equatable {
    /// QUIC connections whose handshake completed.
    package var connections = 0
    /// Refused first datagrams of clients, by the limit that was reached.
    package var refusals: [ServeAdmission.Refusal: Int] = [:]
    /// Handshakes that failed or were not finished.
    package var failedHandshakes = 0
    /// Handshakes that failed or were not finished, by reason.
    package var handshakeFailures: [ClientHandshakeFailure: Int] = [:]
    /// Connections whose clients sent early data that was accepted.
    package var earlyDataAccepted = 0
    /// Clients that were asked to prove their address by a Retry.
    package var retries = 0
    /// Streams that clients opened.
    package var streams = 0
    /// Streams for which a TCP connection to the broker was made.
    package var sessions = 0
    /// MQTT bytes from clients to the broker.
    package var bytesUp: UInt64 = 0
    /// PUBLISH packets from clients to the broker.
    package var messagesUp: UInt64 = 0
    /// PUBLISH packets from the broker to clients.
    package var messagesDown: UInt64 = 0
    /// MQTT bytes from the broker to clients.
    package var bytesDown: UInt64 = 0
    /// QUIC connections at present.
    package var openConnections = 0
    /// Sessions with a TCP connection to the broker at present.
    package var openSessions = 0

    package init() {}

    /// The statistics of two event loops together.
    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.connections += right.connections
        sum.refusals.merge(right.refusals, uniquingKeysWith: +)
        sum.failedHandshakes += right.failedHandshakes
        sum.handshakeFailures.merge(right.handshakeFailures, uniquingKeysWith: +)
        sum.earlyDataAccepted += right.earlyDataAccepted
        sum.messagesUp += right.messagesUp
        sum.messagesDown += right.messagesDown
        sum.retries += right.retries
        sum.streams += right.streams
        sum.sessions += right.sessions
        sum.bytesUp += right.bytesUp
        sum.bytesDown += right.bytesDown
        sum.openConnections += right.openConnections
        sum.openSessions += right.openSessions
        return sum
    }

    /// Names and values for the log. Only limits that were reached are included.
    package var fields: [(name: String, value: String)] {
        let names: [(ServeAdmission.Refusal, String)] = [
            (.rate, "refused_rate"), (.connections, "refused_connections"),
            (.connectionsPerAddress, "refused_per_address"), (.shuttingDown, "refused_shutdown"),
        ]
        let counts: [(String, Int)] = [
            ("connections", connections), ("open_connections", openConnections), ("streams", streams),
            ("sessions", sessions), ("open_sessions", openSessions), ("failed_handshakes", failedHandshakes),
            ("retries", retries),
        ]
        return counts.map { ($0, "\($1)") } + [("bytes_up", "\(bytesUp)"), ("bytes_down", "\(bytesDown)")]
            + names.compactMap { refusal, name in refusals[refusal].map { (name, "\($0)") } }
    }
}

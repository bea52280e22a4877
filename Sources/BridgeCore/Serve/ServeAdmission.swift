import NIOCore

/// Counts the connected clients, and decides whether another one is admitted and whether it first has to prove its
/// address.
package struct ServeAdmission: Sendable {
    /// What to do with a client's first datagram.
    package enum Decision: Sendable, Equatable {
        case admit
        /// Have the client prove with a Retry that it receives packets at its address (RFC 9000 8.1.2).
        case validateAddress
        case refuse(Refusal)
    }

    /// The limit that was reached.
    package enum Refusal: Sendable, Hashable, CaseIterable {
        case rate
        case connections
        case connectionsPerAddress
        case shuttingDown
    }

    private var limits: ServeConfiguration.Limits
    private var retry: ServeConfiguration.Retry
    private var retryAbove: Int
    private var connections = 0
    /// Connections whose clients have not proved their addresses. First datagrams with forged addresses create these.
    private var unproven = 0
    private var byAddress: [String: Int] = [:]
    private var handshakes: TokenBucket
    private var unaskedHandshakes: TokenBucket

    package init(configuration: ServeConfiguration, now: NIODeadline) {
        limits = configuration.limits
        retry = configuration.retry
        retryAbove = configuration.retryAbove
        handshakes = TokenBucket(perSecond: limits.handshakesPerSecond, now: now)
        unaskedHandshakes = TokenBucket(perSecond: retryAbove, now: now)
    }

    /// Decides by this configuration from now on. Clients that are connected stay, however many there are.
    package mutating func adopt(_ new: ServeConfiguration, now: NIODeadline) {
        let perSecond = new.limits.handshakesPerSecond
        if perSecond != limits.handshakesPerSecond { handshakes = TokenBucket(perSecond: perSecond, now: now) }
        if new.retryAbove != retryAbove { unaskedHandshakes = TokenBucket(perSecond: new.retryAbove, now: now) }
        limits = new.limits
        retry = new.retry
        retryAbove = new.retryAbove
    }

    /// Decides about a client's first datagram. This counts only for the rates; `joined` counts the connection.
    /// - Parameter isValidated: Whether the client has proved that it receives packets at `address`.
    package mutating func decide(from address: String, isValidated: Bool, at now: NIODeadline) -> Decision {
        if !isValidated, isRetryDue(now) { return .validateAddress }
        if connections >= limits.connections { return .refuse(.connections) }
        if byAddress[address, default: 0] >= limits.connectionsPerAddress { return .refuse(.connectionsPerAddress) }
        guard handshakes.take(at: now) else { return .refuse(.rate) }
        return .admit
    }

    private mutating func isRetryDue(_ now: NIODeadline) -> Bool {
        switch retry {
        case .always: true
        case .never: false
        // Connections with forged addresses stay until the handshake times out, so their number is limited like their rate.
        case .auto: unproven >= retryAbove || !unaskedHandshakes.take(at: now)
        }
    }

    /// Counts a new connection, until `left`.
    package mutating func joined(from address: String, isValidated: Bool) {
        connections += 1
        if !isValidated { unproven += 1 }
        byAddress[address, default: 0] += 1
    }

    /// A handshake completed, which proves the client's address.
    package mutating func proved() {
        unproven -= 1
    }

    /// A connection has ended, and no longer counts.
    /// - Parameter isProven: Whether a Retry or the handshake has proved the client's address.
    package mutating func left(from address: String, isProven: Bool) {
        connections -= 1
        if !isProven { unproven -= 1 }
        let rest = (byAddress[address] ?? 1) - 1
        byAddress[address] = rest == 0 ? nil : rest
    }

    /// The limit that was reached and its configuration key, for the log.
    package func describe(_ refusal: Refusal) -> String {
        switch refusal {
        case .rate: "more than \(limits.handshakesPerSecond) connections per second (serve.handshakes_per_second)"
        case .connections: "\(limits.connections) clients are connected (serve.connections)"
        case .connectionsPerAddress:
            "\(limits.connectionsPerAddress) clients are connected from this address (serve.connections_per_address)"
        case .shuttingDown: "the server is shutting down"
        }
    }
}

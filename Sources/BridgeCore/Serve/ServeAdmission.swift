import NIOCore

/// Counts the clients that are connected and decides whether one more may come, and whether it has to show first that
/// it receives at its address.
package struct ServeAdmission: Sendable {
    package enum Decision: Sendable, Equatable {
        case admit
        /// By a Retry (RFC 9000 8.1.2).
        case validateAddress
        case refuse(Refusal)
    }

    /// Which limit was reached.
    package enum Refusal: Sendable, Hashable, CaseIterable {
        case rate
        case connections
        case connectionsPerAddress
        case shuttingDown
    }

    private let limits: ServeConfiguration.Limits
    private let retry: ServeConfiguration.Retry
    private let retryAbove: Int
    private var connections = 0
    /// Of clients whose addresses nothing has shown yet: whoever sends first datagrams under false addresses makes these.
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

    /// Changes nothing but rates: `joined` counts the connection.
    /// - Parameter isValidated: the client has shown that it receives at `address`.
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
        // Connections under false addresses stay for the handshake's time limit: their number counts like their rate.
        case .auto: unproven >= retryAbove || !unaskedHandshakes.take(at: now)
        }
    }

    /// A connection was made. `left` gives its place back.
    package mutating func joined(from address: String, isValidated: Bool) {
        connections += 1
        if !isValidated { unproven += 1 }
        byAddress[address, default: 0] += 1
    }

    /// Its handshake completed, which shows the address as well.
    package mutating func proved() {
        unproven -= 1
    }

    /// - Parameter isProven: by Retry or handshake.
    package mutating func left(from address: String, isProven: Bool) {
        connections -= 1
        if !isProven { unproven -= 1 }
        let rest = (byAddress[address] ?? 1) - 1
        byAddress[address] = rest == 0 ? nil : rest
    }

    /// Names the limit, for the log.
    package func describe(_ refusal: Refusal) -> String {
        switch refusal {
        case .rate: "more than \(limits.handshakesPerSecond) connections a second (serve.handshakes_per_second)"
        case .connections: "\(limits.connections) clients are connected (serve.connections)"
        case .connectionsPerAddress:
            "\(limits.connectionsPerAddress) clients are connected from this address (serve.connections_per_address)"
        case .shuttingDown: "the server is shutting down"
        }
    }
}

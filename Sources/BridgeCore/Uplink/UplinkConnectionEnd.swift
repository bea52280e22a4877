/// Why a connection to the broker is over.
package struct UplinkConnectionEnd: Sendable {
    /// A sentence for the log.
    package let why: String
    /// Whether the broker is overloaded or going away.
    package var isBrokerBusy: Bool
    /// The shortest time until the next attempt, whatever the backoff says.
    package var pause: Duration
    /// Whether this end has already been logged.
    package var isLogged: Bool
    /// What the end says about the way to the broker; `nil` if nothing was wrong with the way.
    package var failure: UplinkWay.Failure?

    package init(
        why: String, isBrokerBusy: Bool = false, pause: Duration = .zero, isLogged: Bool = false,
        failure: UplinkWay.Failure? = nil
    ) {
        self.why = why
        self.isBrokerBusy = isBrokerBusy
        self.pause = pause
        self.isLogged = isLogged
        self.failure = failure
    }

    /// Whether the server refused the handshake itself, rather than a session on an established connection.
    package var isRefusal: Bool { failure == .refused && !isBrokerBusy }
}

/// What only the connections themselves know. An ``UplinkPlan`` asks for it while it decides.
package protocol UplinkConnectionsView {
    func facts(of connection: UplinkConnectionID) -> UplinkConnectionFacts
}

/// The state of one connection at the moment.
package struct UplinkConnectionFacts: Sendable, Equatable {
    /// The number of streams that may be opened now; 0 if the connection is not ready.
    package var availableStreams: Int
    /// Whether something that was sent has gone unanswered for a while, so that the connection is given no device.
    package var isSilent: Bool

    package init(availableStreams: Int, isSilent: Bool) {
        self.availableStreams = availableStreams
        self.isSilent = isSilent
    }
}

/// What is known about a connection when it is ready.
package struct UplinkReadiness: Sendable, Equatable {
    /// Whether several devices may have streams on it.
    package var isShared: Bool
    /// The protocol that the server chose.
    package var alpn: String
    /// How long nothing may be heard before the connection ends, as both sides have agreed; zero if it never ends for
    /// that reason.
    package var idleTimeout: Duration

    package init(isShared: Bool, alpn: String, idleTimeout: Duration) {
        self.isShared = isShared
        self.alpn = alpn
        self.idleTimeout = idleTimeout
    }
}

/// What only the connections themselves know. An ``UplinkPlan`` looks while it decides.
package protocol UplinkConnectionsView {
    func facts(of connection: UplinkConnectionID) -> UplinkConnectionFacts
}

package struct UplinkConnectionFacts: Sendable, Equatable {
    /// Streams that may be opened now; 0 if the connection is not ready.
    package var availableStreams: Int
    /// Something sent has gone unanswered for a while, and nothing has come since: the connection is given no device.
    package var isSilent: Bool

    package init(availableStreams: Int, isSilent: Bool) {
        self.availableStreams = availableStreams
        self.isSilent = isSilent
    }
}

/// What a connection has come to when it is ready.
package struct UplinkReadiness: Sendable, Equatable {
    /// Several devices may have streams on it.
    package var isShared: Bool
    /// The protocol that the server chose.
    package var alpn: String
    /// After how long without a sign of life the connection ends, as both sides have agreed; zero: never.
    package var idleTimeout: Duration

    package init(isShared: Bool, alpn: String, idleTimeout: Duration) {
        self.isShared = isShared
        self.alpn = alpn
        self.idleTimeout = idleTimeout
    }
}

import BridgeCore

/// Told what becomes of a connection. It may close it, and open streams on it, from within.
protocol UplinkConnectionOwner: AnyObject {
    /// The broker is verified and has chosen a protocol, and the gateway's session, where there is one, has begun.
    func connectionReady(_ connection: UplinkConnection)
    /// No address of the broker worked, or it refused the gateway; the connection is over.
    func connectionFailed(_ connection: UplinkConnection, _ end: UplinkConnectionEnd)
    /// Streams may be opened that could not before.
    func connectionHasRoom(_ connection: UplinkConnection)
    /// Nothing has come on it for a while, though it should have: it has fallen silent, or devices are about to leave it.
    func connectionFellSilent(_ connection: UplinkConnection)
    /// It broke after it had been ready. Called before the legs on it are told.
    func connectionLost(_ connection: UplinkConnection, _ end: UplinkConnectionEnd)
    /// The device whose CONNECT went out early has left before the handshake was through; the connection is over.
    func connectionAbandoned(_ connection: UplinkConnection)
}

extension UplinkConnectionOwner {
    func connectionFellSilent(_ connection: UplinkConnection) {}
}

/// Why a connection is over.
struct UplinkConnectionEnd {
    /// A sentence for people.
    let why: String
    /// The broker has too much to do, or is going away.
    var isBrokerBusy = false
    /// How long not to try again at least, whatever the backoff says.
    var pause = Duration.zero
    /// Somebody has told the log already.
    var isLogged = false
    /// What it says of this way to the broker; nil where there was nothing wrong with the way.
    var failure: CandidateChoice.Failure?

    /// The server refused the handshake itself, not a session on a connection that stood.
    var isRefusal: Bool { failure == .refused && !isBrokerBusy }
}

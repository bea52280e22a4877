import NIOCore

/// What a plan asks and tells the gate that all event loops share: which way is in use, whether a connection may be
/// made now, and what its outcome was. ``DialPolicy`` decides behind it.
package protocol UpstreamGate: AnyObject {
    /// The way that new connections take.
    var chosen: UplinkWay { get }
    /// The ways that are not taken because their servers shut down.
    var leftWays: Set<UplinkWay> { get }

    /// See ``WayChoice/proven(since:)``.
    func proven(since time: NIODeadline) -> UplinkWay?

    /// Lets one device onto an existing connection. Returns `nil` if the device may go now, otherwise when to ask
    /// again.
    func admit(at now: NIODeadline) -> NIODeadline?
    /// Asks to make a connection for a device.
    ///
    /// - Parameter waker: The identifier of the asking plan, which is woken when waiting may be over.
    func mayDial(_ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline) -> DialDecision
    /// Asks to make a connection to that endpoint ahead of time.
    func mayDialAhead(
        to endpoint: Int, _ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline
    ) -> DialDecision

    /// The broker is verified and accepts the connection.
    func succeeded(_ permit: DialPermit, at now: NIODeadline)
    /// - Parameter hasOthers: Whether other connections still carry devices.
    func failed(
        _ permit: DialPermit, _ end: UplinkConnectionEnd, hasOthers: Bool, at now: NIODeadline
    ) -> WayChoice.Verdict
    /// The attempt was given up before it had an outcome.
    func abandoned(_ permit: DialPermit, at now: NIODeadline)

    /// A shared connection was lost or the broker is unreachable: devices come back at the pace that the operator has
    /// set.
    func disturbed(at now: NIODeadline)
    /// A connection was lost to the network, and perhaps all of them were, so the next one is made alone to find out.
    func lost(_ purpose: UplinkPurpose, at now: NIODeadline)
    /// The broker asked for no connections for a while.
    func mustPause(_ purpose: UplinkPurpose, atLeast pause: Duration, at now: NIODeadline)
    /// What kept a further connection from being made is no longer the reason why devices wait.
    func forgetFailure(_ purpose: UplinkPurpose)
    /// What went wrong last; `nil` after a success.
    func failure(_ purpose: UplinkPurpose) -> String?
    /// The server of that endpoint was heard after a silence; `nil` if the endpoint is not known.
    func pathAnswered(_ endpoint: Int?, at now: NIODeadline)

    /// Whether the caller has to try the better ways from now on. One plan in the process does so.
    func claimsProbing() -> Bool
    /// When to try the better ways; `nil` if there is nothing left to try, and the caller no longer probes.
    func nextProbe() -> NIODeadline?
    /// The ways to try now, in this order until one works; empty if it is not time. ``probeSucceeded(_:at:)`` or
    /// ``probesFailed(at:)`` must follow.
    func takeProbes(at now: NIODeadline) -> [UplinkWay]
    func probeSucceeded(_ way: UplinkWay, at now: NIODeadline)
    func probesFailed(at now: NIODeadline)
    /// The plan that probed is gone, so another one may claim probing.
    func probingEnded()
}

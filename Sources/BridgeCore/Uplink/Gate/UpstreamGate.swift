import NIOCore

/// What a plan asks of, and tells, the gate that all event loops share: which way is in use, whether a connection may be
/// made now, and what became of it. ``DialPolicy`` decides behind it.
package protocol UpstreamGate: AnyObject {
    /// The way that new connections take.
    var chosen: UplinkWay { get }

    /// Lets one device onto a connection that exists. Answers `nil` if the device may go now, else when to ask again.
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
    /// - Parameter hasOthers: Other connections carry devices still.
    func failed(
        _ permit: DialPermit, _ end: UplinkConnectionEnd, hasOthers: Bool, at now: NIODeadline
    ) -> WayChoice.Verdict
    /// The attempt was given up before it had an outcome.
    func abandoned(_ permit: DialPermit, at now: NIODeadline)

    /// A shared connection was lost or the broker is unreachable: devices come back at the operator's pace.
    func disturbed(at now: NIODeadline)
    /// The network took a connection, and maybe all: the next one is made alone, to find out.
    func lost(_ purpose: UplinkPurpose, at now: NIODeadline)
    /// The broker asked to be left alone for a while.
    func mustPause(_ purpose: UplinkPurpose, atLeast pause: Duration, at now: NIODeadline)
    /// The reason that kept a further connection from being made is not what is wrong now.
    func forgetFailure(_ purpose: UplinkPurpose)
    /// What went wrong, as long as nothing has gone right since.
    func failure(_ purpose: UplinkPurpose) -> String?
    /// The server of that endpoint was heard after a silence; `nil` if the endpoint is not known.
    func pathAnswered(_ endpoint: Int?, at now: NIODeadline)

    /// Whether the caller is to try the better ways from now on. One plan of the process does.
    func claimsProbing() -> Bool
    /// When the better ways are to be tried; `nil` if there is nothing left to try, and the caller no longer probes.
    func nextProbe() -> NIODeadline?
    /// The ways to try now, in this order until one works; empty if it is not time.
    /// ``probeSucceeded(_:at:)`` or ``probesFailed(at:)`` follows.
    func takeProbes(at now: NIODeadline) -> [UplinkWay]
    func probeSucceeded(_ way: UplinkWay, at now: NIODeadline)
    func probesFailed(at now: NIODeadline)
    /// The plan that probed is gone: another may claim it.
    func probingEnded()
}

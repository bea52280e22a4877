/// Whom a leg tells that it is no longer wanted.
protocol UplinkLegOwner: AnyObject {
    /// What went wrong last, while nothing has gone right since.
    var presentFailure: String? { get }
    /// The device left before the leg was open.
    func abandoned(_ leg: UplinkLeg)
    /// The leg waits again: a connection made ahead of time has broken before anything came back on it.
    func cameBack(_ leg: UplinkLeg, keepAlive: Duration?)
}

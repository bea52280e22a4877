import BridgeCore
import NIOCore

/// Is told what happens to a carrier, on its event loop. It may close the carrier and open streams on it from within
/// these calls.
protocol UplinkCarrierObserver: AnyObject {
    /// The broker is verified and has chosen a protocol, and the gateway's session, if there is one, has begun.
    func carrierReady(_ carrier: any UplinkCarrier, _ readiness: UplinkReadiness)
    /// No address of the broker worked, or it refused the gateway; the carrier is over.
    func carrierFailed(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd)
    /// The carrier is over after having been ready. The observer is told before the legs on it.
    ///
    /// - Parameter wasSilent: Whether nothing had come on it for a while.
    func carrierLost(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd, wasSilent: Bool)
    /// The server at the other end shuts down, so new connections should go to another one.
    func carrierIsSentElsewhere(_ carrier: any UplinkCarrier)
    /// The carrier ended in order.
    func carrierEnded(_ carrier: any UplinkCarrier)
    /// The first bytes of that leg, which is CONNECT, are about to go out before the handshake has completed.
    func carrierSendsEarly(_ leg: UplinkLeg)
    /// The broker allows more streams, or has been heard again on the carrier.
    func carrierHasRoom(_ carrier: any UplinkCarrier)
    /// The carrier is silent, or devices that had no answer on it leave it.
    func carrierFellSilent(_ carrier: any UplinkCarrier)
    /// The carrier has been silent since that time. Called again and again.
    func carrierStaysSilent(_ carrier: any UplinkCarrier, since: NIODeadline, at now: NIODeadline)
}

extension UplinkCarrierObserver {
    func carrierLost(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd, wasSilent: Bool) {}
    func carrierIsSentElsewhere(_ carrier: any UplinkCarrier) {}
    func carrierEnded(_ carrier: any UplinkCarrier) {}
    func carrierSendsEarly(_ leg: UplinkLeg) {}
    func carrierHasRoom(_ carrier: any UplinkCarrier) {}
    func carrierFellSilent(_ carrier: any UplinkCarrier) {}
    func carrierStaysSilent(_ carrier: any UplinkCarrier, since: NIODeadline, at now: NIODeadline) {}
}

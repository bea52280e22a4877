import BridgeCore

/// Told what becomes of a carrier, on its event loop. It may close the carrier and open streams on it from within.
protocol UplinkCarrierObserver: AnyObject {
    /// The broker is verified and has chosen a protocol, and the gateway's session, if there is one, has begun.
    func carrierReady(_ carrier: any UplinkCarrier, _ readiness: UplinkReadiness)
    /// No address of the broker worked, or it refused the gateway; the carrier is over.
    func carrierFailed(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd)
    /// The carrier is over after it had been ready. To be told before the legs on it.
    ///
    /// - Parameter wasSilent: Nothing had come on it for a while.
    func carrierLost(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd, wasSilent: Bool)
    /// The carrier is over in order.
    func carrierEnded(_ carrier: any UplinkCarrier)
    /// The first bytes of that leg, which is CONNECT, are about to go out before the handshake is through.
    func carrierSendsEarly(_ leg: UplinkLeg)
    /// Streams may be opened that could not before, or the carrier has been heard again.
    func carrierHasRoom(_ carrier: any UplinkCarrier)
    /// Nothing has come for a while although something should have, or devices that have had no answer leave it.
    func carrierFellSilent(_ carrier: any UplinkCarrier)
}

extension UplinkCarrierObserver {
    func carrierLost(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd, wasSilent: Bool) {}
    func carrierEnded(_ carrier: any UplinkCarrier) {}
    func carrierSendsEarly(_ leg: UplinkLeg) {}
    func carrierHasRoom(_ carrier: any UplinkCarrier) {}
    func carrierFellSilent(_ carrier: any UplinkCarrier) {}
}

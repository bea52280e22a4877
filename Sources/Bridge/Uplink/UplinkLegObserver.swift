import BridgeCore
import NIOCore

/// Told what happens on an uplink leg, on the device's event loop.
protocol UplinkLegObserver: AnyObject {
    /// The leg is open. `limits` are those of the gateway's session that the leg is a data stream of; `nil` for the
    /// device's own session.
    func uplinkReady(_ limits: GatewayLimits?)
    /// The leg could not be made; it is over.
    func uplinkUnreachable(_ why: String)
    /// Bytes from the broker; `isEnd` with its FIN.
    func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool)
    /// `bufferedBytes` has fallen.
    func uplinkDrained()
    /// Nothing has come back for a while though something should have, on this leg and on all that share its
    /// connection.
    func uplinkSilent()
    /// The leg answers again after that long a silence.
    func uplinkAnswered(after silence: Duration)
    /// The leg broke; it is over.
    func uplinkLost(_ loss: UplinkLoss)
}

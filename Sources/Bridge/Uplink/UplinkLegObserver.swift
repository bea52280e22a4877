import BridgeCore
import NIOCore

/// Told what happens on an uplink leg, on the device's event loop.
protocol UplinkLegObserver: AnyObject {
    /// `limits` are those of the gateway session that the leg is a data stream of; nil for the device's own session.
    func uplinkReady(_ limits: GatewayLimits?)
    /// The leg could not be made; it is over.
    func uplinkUnreachable(_ why: String)
    /// Bytes of the broker; `isEnd` with its FIN.
    func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool)
    /// `bufferedBytes` fell.
    func uplinkDrained()
    /// Nothing has come back for a while though it should have, on this leg and on all that share its connection.
    func uplinkSilent()
    /// It answers again, after that long.
    func uplinkAnswered(after silence: Duration)
    /// The leg broke; it is over.
    func uplinkLost(_ loss: UplinkLoss)
}

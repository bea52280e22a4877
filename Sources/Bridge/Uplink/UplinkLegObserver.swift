import BridgeCore
import NIOCore

/// Is told what happens on an uplink leg, on the device's event loop.
protocol UplinkLegObserver: AnyObject {
    /// The leg is open. `limits` are those of the gateway's session that the leg is a data stream of; `nil` for the
    /// device's own session.
    func uplinkReady(_ limits: GatewayLimits?)
    /// What was sent before anything came back has been sent again, on another connection. The broker may read both.
    func uplinkSentAgain()
    /// The leg could not be opened, and is over.
    func uplinkUnreachable(_ why: String)
    /// Bytes came from the broker; `isEnd` is true if they came with its FIN.
    func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool)
    /// `bufferedBytes` has fallen.
    func uplinkDrained()
    /// The path of the leg's connection is silent, so all legs on it are.
    func uplinkSilent()
    /// The leg's path answers again after a silence of that length.
    func uplinkAnswered(after silence: Duration)
    /// The leg broke, and is over.
    func uplinkLost(_ loss: UplinkLoss)
}

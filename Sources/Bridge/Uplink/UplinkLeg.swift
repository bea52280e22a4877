import BridgeCore
import NIOCore

/// The byte stream that carries one device to the broker.
///
/// Confined to the device's event loop. Bytes sent before ``UplinkLegObserver/uplinkReady()`` are a bug of the caller's.
protocol UplinkLeg: AnyObject {
    /// Bytes sent and not yet acknowledged by the broker's transport.
    var bufferedBytes: Int { get }

    /// What keeps the leg from being ready, where that is known.
    var whyNotYet: String? { get }

    func send(_ bytes: ByteBuffer)
    /// FIN, behind everything sent before.
    func finish()
    /// The device has really taken these bytes: the broker may send as many again.
    func consumed(_ bytes: Int)
    /// Ends the leg now. The observer hears nothing more.
    func close()
}

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
    /// The leg broke; it is over.
    func uplinkLost(_ loss: UplinkLoss)
}

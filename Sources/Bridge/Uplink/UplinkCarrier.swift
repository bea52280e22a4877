import BridgeCore
import NIOCore
import QUICTransport

/// What carries uplink legs: a QUIC connection, each leg on a stream of its own, or a TLS connection with its only one.
///
/// Confined to the legs' event loop.
protocol UplinkCarrier: AnyObject {
    /// Of the gateway session that its legs belong to; nil for legs with MQTT sessions of their own.
    var limits: GatewayLimits? { get }

    /// Bytes written and not yet acknowledged by the broker's transport.
    func bufferedBytes(_ stream: QUICStreamID) -> Int
    /// Queues bytes, and the stream's end with `fin`.
    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool)
    /// The device has really taken these bytes: the broker may send as many again.
    func consumed(_ stream: QUICStreamID, _ bytes: Int)
    /// The leg is over. What it leaves of its stream is reset, and what came and was not taken counts as taken, so that
    /// the others on the connection lose nothing by it.
    ///
    /// - Parameter wasUnheard: It had been open for a while, and nothing had come on it.
    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool)
}

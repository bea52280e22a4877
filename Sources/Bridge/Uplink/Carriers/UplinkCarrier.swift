import BridgeCore
import NIOCore
import QUICTransport

/// Carries uplink legs: a QUIC connection, each leg on a stream of its own, or a TLS connection with its only leg.
///
/// Confined to the legs' event loop.
protocol UplinkCarrier: AnyObject {
    /// What the plan calls it.
    var id: UplinkConnectionID { get }

    // For its legs:

    /// The limits of the gateway's session that the legs belong to; `nil` for legs with MQTT sessions of their own.
    var limits: GatewayLimits? { get }

    /// Bytes written and not yet acknowledged by the broker's transport.
    func bufferedBytes(_ stream: QUICStreamID) -> Int
    /// Queues bytes, and the stream's end with `fin`.
    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool)
    /// The device has taken these bytes: the broker may send as many again.
    func consumed(_ stream: QUICStreamID, _ bytes: Int)
    /// The leg is over. What it leaves of its stream is reset, and what came and was not taken counts as taken, so that
    /// the other legs on the connection lose nothing.
    ///
    /// - Parameter wasUnheard: The leg had been open for a while, and nothing had come on it.
    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool)

    // For the driver:

    var facts: UplinkConnectionFacts { get }

    /// Opens a stream and gives it to the leg. Answers false if the broker allows none now; the observer hears
    /// ``UplinkCarrierObserver/carrierHasRoom(_:)`` when it does.
    func openStream(for leg: UplinkLeg) throws -> Bool
    /// Closes it now. Its legs and its observer hear nothing of that.
    func close()
    /// Ends it in order: no leg is on it, and none will be.
    func retire()
    /// Tries again at once what is being tried: the network has changed, or is back.
    func hurry()
    /// The broker may have forgotten its connections: this one gets no leg until it has been heard, and asks now.
    func doubt(at now: NIODeadline)
}

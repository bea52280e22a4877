import BridgeCore
import NIOCore
import QUICTransport

/// Carries uplink legs: a QUIC connection with each leg on a stream of its own, or a TLS connection with a single leg.
///
/// Confined to the legs' event loop.
protocol UplinkCarrier: AnyObject {
    /// The carrier's identifier in the plan.
    var id: UplinkConnectionID { get }

    // For its legs:

    /// The limits of the gateway's session that the legs belong to; `nil` for legs with MQTT sessions of their own.
    var limits: GatewayLimits? { get }

    /// Bytes written and not yet acknowledged by the broker's transport.
    func bufferedBytes(_ stream: QUICStreamID) -> Int
    /// How many of them count against a limit on what is buffered for the stream. Up to `inFlight` bytes that are on
    /// their way to the broker do not.
    func backlog(_ stream: QUICStreamID, inFlight: Int) -> Int
    /// Queues bytes, and the stream's end if `fin` is true.
    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool)
    /// The device has taken these bytes: the broker may send as many again.
    func consumed(_ stream: QUICStreamID, _ bytes: Int)
    /// The leg is over. Directions of its stream that are still open are reset. Bytes that the device has not taken
    /// count as taken, so that the other legs on the connection lose no credit.
    ///
    /// - Parameter wasUnheard: Whether the leg had been open for a while without anything coming on it.
    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool)

    // For the driver:

    var facts: UplinkConnectionFacts { get }
    /// The endpoint over QUIC; `nil` over TLS.
    var endpointOverQUIC: UplinkEndpoint? { get }
    /// When something last came on it.
    var lastReceived: NIODeadline { get }
    /// Whether devices may use it: the broker is verified.
    var isReady: Bool { get }
    /// What an operator may want to know about it; `nil` while it is being made.
    var report: UplinkCarrierReport? { get }

    /// Opens a stream and gives it to the leg. Returns `false` if the broker allows none now;
    /// ``UplinkCarrierObserver/carrierHasRoom(_:)`` is called when it does.
    func openStream(for leg: UplinkLeg) throws -> Bool
    /// Closes the carrier now, without telling its legs or its observer.
    func close()
    /// Ends the carrier in order. It has no legs, and gets no more.
    func retire()
    /// Sends again at once what is unanswered, because the network has changed or is back.
    func hurry()
    /// The broker may have forgotten its connections, so this one asks it now, and gets no leg until the broker
    /// answers.
    func doubt(at now: NIODeadline)
    /// The connection is silent, and its devices are better off on another way.
    func giveUp()
}

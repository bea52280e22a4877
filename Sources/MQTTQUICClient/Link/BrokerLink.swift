import NIOCore

/// A byte stream, or several, to the broker. Confined to its event loop.
///
/// A link begins when it is dialed and ends once, whatever happens; after its end nothing is told any more and calls do
/// nothing.
protocol BrokerLink: AnyObject {
    /// `nil` until the link is open.
    var facts: LinkFacts? { get }

    /// Sends bytes, after those that were given before. What cannot be sent at once waits in the link.
    func write(_ bytes: ByteBuffer, on stream: LinkStream)

    /// How many bytes of that stream wait in the link. Those that were sent and not acknowledged do not count.
    func backlog(of stream: LinkStream) -> Int

    /// Gives credit for bytes that were received. Without it the peer has to stop after one window.
    func consumed(_ bytes: Int, on stream: LinkStream)

    /// A further stream; `nil` if the peer allows none now, and always with TLS over TCP.
    func openDataStream() -> LinkStream?

    /// Ends the link when all that was written has arrived: FIN, then the peer's FIN, for which it waits 10 s at most.
    /// The end is told as ``LinkEnd/finished``.
    func finish()

    /// Ends the link at once, also one that is still being dialed. The end is told as ``LinkEnd/finished``, not before
    /// this call has returned.
    func abort()
}

/// One stream of a link.
package enum LinkStream: Hashable, Sendable {
    /// The first one, to which the session is bound.
    case control
    /// A later one, by a number of the link's own.
    case data(Int)
}

/// What the handshake showed.
struct LinkFacts: Sendable, Equatable {
    var transport: MQTTTransport
    /// With its port.
    var remoteAddress: String
    var isResumed: Bool
    /// Whether CONNECT was in the first flight and the peer took it; `nil` if it was not sent that way. If it was
    /// rejected, the link has sent it again by itself.
    var isEarlyDataAccepted: Bool?
}

/// Why a link has ended.
enum LinkEnd: Sendable, Equatable {
    /// The client asked for it.
    case finished
    /// - Parameters:
    ///   - error: What to tell the caller.
    ///   - isRetryUseful: Whether another try may go better: not with a certificate that is refused, for example.
    ///   - applicationCode: The code that the peer closed the connection with, if it did.
    case lost(MQTTClientError, isRetryUseful: Bool, applicationCode: UInt64? = nil)
}

extension LinkEnd {
    /// The broker has ended the session in good order, but without a reason. A client of 3.1.1, and any client of a
    /// broker that sends no DISCONNECT then, hears no more than that when its session is taken over.
    static let endedByBroker = LinkEnd.lost(
        .connectionLost(detail: "the broker ended it without a reason; perhaps another client has the same identifier"),
        isRetryUseful: true)
}

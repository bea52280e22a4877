import NIOCore

/// Decides for a ``QUICDial`` what its connections are made with, and gets the outcome. Called on the event loop.
package protocol QUICDialOwner: AnyObject {
    /// Starts one QUIC connection to one address. Its events go to the dial.
    ///
    /// - Parameter isEarly: Whether early data may follow.
    func dial(
        _ dial: QUICDial, connectTo address: SocketAddress, ticket: QUICResumption?, isEarly: Bool
    ) throws -> QUICConnectionHandle
    /// Takes a ticket, which no other connection gets.
    func takeTicket() -> QUICResumption?
    /// Gives back a ticket that the server has not seen.
    func putBack(_ ticket: QUICResumption)

    /// Whether there is something to send as early data. Asked only for the first address.
    var hasEarlyData: Bool { get }
    /// Sends the early data on a connection whose handshake has only begun. Returns `false` if that is impossible.
    func sendEarlyData(on handle: QUICConnectionHandle) throws -> Bool
    /// What was sent early on that connection has to be sent again.
    ///
    /// - Parameter isRejected: Whether the server has said so.
    func earlyDataLost(on handle: QUICConnectionHandle, isRejected: Bool)

    /// A handshake has completed. The dial is over, and its other connections are closed.
    func dialSucceeded(_ winner: QUICDial.Winner)
    /// No address worked. The dial is over.
    func dialFailed(_ failure: QUICDial.Failure)
}

/// Decides which clients' connections a listening ``QUICEndpoint`` accepts. Called on its event loop.
package protocol QUICEndpointDelegate: AnyObject {
    /// What to do about a client's first datagram. It may have a forged address, unless
    /// ``QUICIncomingConnection/isAddressValidated`` is set, so this has to be cheap.
    func endpoint(_ endpoint: QUICEndpoint, decidesOn incoming: QUICIncomingConnection) -> QUICAcceptance

    /// The connection has been made. Its events go to the observer that this returns, which the delegate has to keep
    /// alive. The last event is ``QUICEvent/closed(_:)``, and it may come at once.
    func endpoint(
        _ endpoint: QUICEndpoint, accepted handle: QUICConnectionHandle, from incoming: QUICIncomingConnection
    ) -> any QUICConnectionObserver
}

/// What a listening endpoint does about a client's first datagram.
package enum QUICAcceptance: Sendable, Equatable {
    /// Makes a connection: `endpoint(_:accepted:from:)` follows, unless a library fails.
    case accept
    /// The client has to show first that it receives at its address (RFC 9000 8.1.2). Like `accept` if it already has.
    case retry
    /// The client is told that the server accepts no connections now (CONNECTION_REFUSED).
    case refuse
    /// The client gets no answer.
    case ignore
}

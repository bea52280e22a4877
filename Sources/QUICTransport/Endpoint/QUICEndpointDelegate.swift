/// Decides about the connections that clients ask a listening ``QUICEndpoint`` for, on its event loop.
package protocol QUICEndpointDelegate: AnyObject {
    /// A client's first datagram. Anybody can send one under anybody's address, unless
    /// ``QUICIncomingConnection/isAddressValidated`` says otherwise, so this has to be cheap.
    func endpoint(_ endpoint: QUICEndpoint, decidesOn incoming: QUICIncomingConnection) -> QUICAcceptance

    /// The connection is there; its events go to the observer, which has to be kept alive by its owner. The last is
    /// ``QUICEvent/closed(_:)``, and may come at once.
    func endpoint(
        _ endpoint: QUICEndpoint, accepted handle: QUICConnectionHandle, from incoming: QUICIncomingConnection
    ) -> any QUICConnectionObserver
}

package enum QUICAcceptance: Sendable, Equatable {
    /// `endpoint(_:accepted:from:)` follows, unless a library fails.
    case accept
    /// The client has to show first that it receives at its address (RFC 9000 8.1.2). As `accept` where it did.
    case retry
    /// The client is told that the server takes no connections now (CONNECTION_REFUSED).
    case refuse
    case ignore
}

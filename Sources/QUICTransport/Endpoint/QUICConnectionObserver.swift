/// Is told what happens on a connection, on the endpoint's event loop.
///
/// It may call the handle from within these methods. The resulting datagrams leave with the burst.
package protocol QUICConnectionObserver: AnyObject {
    /// An event of the connection. Nothing follows ``QUICEvent/closed(_:)``.
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent)

    /// Something was sent that the peer has to answer.
    ///
    /// - Returns: Whether the observer watches for the answer. Then it is not told again until it resets
    ///   ``QUICConnectionHandle/isAwaited``.
    func connectionAwaitsAnswer(_ handle: QUICConnectionHandle) -> Bool
    /// A datagram came for a connection whose ``QUICConnectionHandle/isSilent`` is set; its events follow.
    /// ``QUICConnectionHandle/lastReceived`` shows whether the peer sent it.
    func connectionReceived(_ handle: QUICConnectionHandle)
}

extension QUICConnectionObserver {
    /// An observer that watches nothing need not implement this.
    package func connectionAwaitsAnswer(_ handle: QUICConnectionHandle) -> Bool { false }
    /// An observer that never sets ``QUICConnectionHandle/isSilent`` need not implement this.
    package func connectionReceived(_ handle: QUICConnectionHandle) {}
}

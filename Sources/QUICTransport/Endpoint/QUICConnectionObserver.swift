/// Told what happens on a connection, on the endpoint's event loop.
///
/// It may call the handle from within: what it asks for is carried out, and its datagrams leave with the burst.
package protocol QUICConnectionObserver: AnyObject {
    /// After ``QUICEvent/closed(_:)`` nothing follows.
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent)

    /// Something was sent that waits for an answer. Answers whether the observer looks after it; then it is not told
    /// again until it sets ``QUICConnectionHandle/isAwaited`` back.
    func connectionAwaitsAnswer(_ handle: QUICConnectionHandle) -> Bool
    /// A datagram came on a connection whose ``QUICConnectionHandle/isSilent`` is set; its events follow. Whether it is
    /// the peer's, ``QUICConnectionHandle/lastReceived`` tells.
    func connectionReceived(_ handle: QUICConnectionHandle)
}

extension QUICConnectionObserver {
    package func connectionAwaitsAnswer(_ handle: QUICConnectionHandle) -> Bool { false }
    package func connectionReceived(_ handle: QUICConnectionHandle) {}
}

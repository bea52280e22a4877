/// Told what happens on a connection, on the endpoint's event loop.
///
/// It may call the handle from within: what it asks for is carried out, and its datagrams leave with the burst.
package protocol QUICConnectionObserver: AnyObject {
    /// After ``QUICEvent/closed(_:)`` nothing follows.
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent)
}

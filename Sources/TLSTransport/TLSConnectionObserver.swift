import NIOCore

/// Is told what happens on a TLS connection, on its event loop. Nothing follows a call that ends it.
package protocol TLSConnectionObserver: AnyObject {
    /// The server is verified.
    func tlsReady(_ connection: TLSConnection)
    /// There will be no connection.
    func tlsFailed(_ connection: TLSConnection, _ failure: TLSFailure)
    func tls(_ connection: TLSConnection, received bytes: ByteBuffer)
    /// The kernel has taken more of what was written.
    func tlsDrained(_ connection: TLSConnection)
    /// The server has ended its stream.
    func tlsEnded(_ connection: TLSConnection)
    /// The connection broke after having been ready. ``TLSWords/loss(_:)`` explains the cause.
    func tlsLost(_ connection: TLSConnection, cause: (any Error)?)
}

/// Why the handshake of a client of `serve` came to nothing.
package enum ClientHandshakeFailure: String, Sendable, CaseIterable {
    /// It was not finished in time.
    case timeout
    /// The client offered no protocol that `serve` speaks.
    case alpn
    /// One side did not accept the other's certificate, or there was none.
    case certificate
    /// Another alert of TLS.
    case tls
    /// An error of QUIC itself.
    case transport
    /// The client closed the connection.
    case closed
    /// The server is shutting down.
    case shuttingDown = "shutting_down"
    case other
}

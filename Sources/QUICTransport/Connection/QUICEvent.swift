import NIOCore

/// What happened on a connection. `closed` comes exactly once and is the last event.
package enum QUICEvent: Sendable, Equatable {
    /// Both sides have the keys, and the certificates that were demanded have been verified. Data may be sent.
    case handshakeCompleted(alpn: String)
    /// The peer is known to have completed the handshake, too (RFC 9001 4.1.2). Migration and key update are possible
    /// now.
    case handshakeConfirmed
    /// Bytes of a stream, in order and without gaps. With `fin` they are the last ones, and the buffer may be empty.
    case streamData(QUICStreamID, ByteBuffer, fin: Bool)
    /// The peer sends nothing more on the stream, and gave up what was under way (RESET_STREAM).
    case streamReset(QUICStreamID, code: UInt64)
    /// The peer reads no more from the stream (STOP_SENDING). This comes only when something has to be sent. The code
    /// is `nil` because no version of ngtcp2 that is known here reports it.
    case stopSending(QUICStreamID, code: UInt64?)
    /// The peer acknowledged this many bytes, and they have left the send buffer.
    case streamDrained(QUICStreamID, bytes: Int)
    /// Both directions have ended; the identifier can no longer be used.
    case streamClosed(QUICStreamID)
    /// The peer opened the stream.
    case streamOpened(QUICStreamID)
    /// The peer allows more streams than before.
    case streamsAvailable
    /// Datagrams for this connection may carry this destination connection ID from now on.
    case connectionIDIssued(QUICConnectionID)
    /// Datagrams with this destination connection ID are no longer for this connection.
    case connectionIDRetired(QUICConnectionID)
    /// A new path was validated and is used from now on.
    case pathChanged(local: SocketAddress, remote: SocketAddress)
    /// A path did not answer. The connection continues on the previous one.
    case pathFailed(local: SocketAddress, remote: SocketAddress)
    /// Clients only: a ticket for the next connection to the same server.
    case ticketReceived(QUICResumption)
    /// Clients only, before `handshakeCompleted`: the server did not accept the early data. All streams are gone
    /// without further events, and their identifiers start again; the application has to open them and send everything
    /// again.
    case earlyDataRejected
    /// The connection has ended, for this reason.
    case closed(QUICError)
}

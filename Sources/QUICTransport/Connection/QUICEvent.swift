import NIOCore

/// What came out of a connection. `closed` comes exactly once and is the last.
package enum QUICEvent: Sendable, Equatable {
    /// Both sides hold the keys and the server's certificate has been verified. Data may be sent.
    case handshakeCompleted(alpn: String)
    /// The peer is known to have completed the handshake too (RFC 9001 4.1.2). Migration and key update are possible.
    case handshakeConfirmed
    /// In order, without gaps. `fin`: the peer's last bytes on the stream (the buffer may be empty).
    case streamData(QUICStreamID, ByteBuffer, fin: Bool)
    /// The peer will send no more on the stream and gave up on what was under way.
    case streamReset(QUICStreamID, code: UInt64)
    /// The peer reads no more from the stream (STOP_SENDING). It is noticed where something is to be sent, and the
    /// code not told at all in the versions known here: then it is nil.
    case stopSending(QUICStreamID, code: UInt64?)
    /// The peer acknowledged this many bytes, which have left the send buffer.
    case streamDrained(QUICStreamID, bytes: Int)
    /// Both directions ended; the identifier is of no more use.
    case streamClosed(QUICStreamID)
    /// The peer opened it.
    case streamOpened(QUICStreamID)
    /// The peer lets us open more streams than before.
    case streamsAvailable
    /// Datagrams for this connection may carry this destination connection ID from now on.
    case connectionIDIssued(QUICConnectionID)
    case connectionIDRetired(QUICConnectionID)
    /// A new path was validated and is used from now on.
    case pathChanged(local: SocketAddress, remote: SocketAddress)
    /// A path did not answer. The connection goes on over the one before.
    case pathFailed(local: SocketAddress, remote: SocketAddress)
    /// A client's: for the next connection to the same server.
    case ticketReceived(QUICResumption)
    /// A client's, before `handshakeCompleted`: the server did not take what was sent before. All streams are gone
    /// without further events, and their identifiers begin anew; it is for the application to do it all again.
    case earlyDataRejected
    case closed(QUICError)
}

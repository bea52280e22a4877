import CNGTCP2
import NIOCore

/// A client's first datagram, checked, from which `QUICConnection.server` makes a connection.
package struct QUICIncomingConnection {
    /// The client's address, which may be forged unless `isAddressValidated` is set.
    package let remote: SocketAddress
    /// The address that the datagram was sent to.
    package let local: SocketAddress
    /// Whether the client has shown, with the token of a Retry, that it receives at its address (RFC 9000 8.1.2).
    package var isAddressValidated: Bool { initial.after_retry }

    let datagram: ByteBuffer
    let ecn: NIOExplicitCongestionNotificationState
    let configuration: QUICConfiguration
    let tls: QUICTLSContext
    let receivedAt: NIODeadline
    let secret: [UInt8]
    /// Its token pointer must not be followed: `token` has the bytes.
    let initial: bridge_quic_initial
    let token: [UInt8]

    func withInitial<Result>(
        _ body: (UnsafePointer<bridge_quic_initial>, UnsafePointer<UInt8>?) throws(QUICError) -> Result
    ) throws(QUICError) -> Result {
        try token.withUnsafeBufferPointer { token throws(QUICError) in
            try secret.withUnsafeBufferPointer { secret throws(QUICError) in
                var initial = initial
                initial.token = token.baseAddress
                initial.token_length = token.count
                return try withUnsafePointer(to: initial) { initial throws(QUICError) in
                    try body(initial, secret.baseAddress)
                }
            }
        }
    }
}

import CNGTCP2
import NIOCore

/// A client's first datagram, checked: what `QUICConnection.server` makes a connection from.
package struct QUICIncomingConnection {
    package let remote: SocketAddress
    package let local: SocketAddress
    /// Whether the client has shown, by the token of a Retry, that it receives at its address.
    package var isAddressValidated: Bool { initial.after_retry }

    let datagram: ByteBuffer
    let ecn: NIOExplicitCongestionNotificationState
    let configuration: QUICConfiguration
    let tls: QUICTLSContext
    let receivedAt: NIODeadline
    let secret: [UInt8]
    /// Its token pointer is not to be followed: `token` has the bytes.
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

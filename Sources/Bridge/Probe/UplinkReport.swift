import NIOCore
import QUICTransport

/// What one QUIC handshake with the broker showed.
package struct UplinkReport: Sendable {
    /// The broker's address and port.
    package var address: String
    /// The time from the first datagram to the completed handshake.
    package var handshake: Duration
    /// The application protocol that the broker chose.
    package var alpn: String
    package var tls: QUICTLSInfo
    package var statistics: QUICStatistics
}

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
    /// What TLS has agreed on, and the broker's certificates.
    package var tls: QUICTLSInfo
    /// Round-trip time, datagram size and counters of the connection.
    package var statistics: QUICStatistics
}

import NIOCore
import QUICTransport

/// What one QUIC handshake with the broker told.
package struct UplinkReport: Sendable {
    package var address: String
    package var handshake: Duration
    package var alpn: String
    package var tls: QUICTLSInfo
    package var statistics: QUICStatistics
}

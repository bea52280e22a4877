import NIOCore
import QUICTransport

/// What an operator may want to know about a connection to the broker.
struct UplinkCarrierReport {
    /// `quic` or `tls`.
    var transport: String
    var mapping: String?
    var remote: SocketAddress?
    var local: SocketAddress?
    /// `nil` over TLS.
    var statistics: QUICStatistics?
    /// How often the connection has moved to another path; `nil` over TLS.
    var pathChanges: Int?
    /// `nil` over TLS, where this is not known.
    var isSilent: Bool?
    var isResumed: Bool?
}

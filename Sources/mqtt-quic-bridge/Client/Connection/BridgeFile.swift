import BridgeConfig
import BridgeCore

/// What `--config` takes from a bridge's configuration: how to reach its broker. Its identities and routes are for devices.
struct BridgeFile: Equatable, Sendable {
    var host: String
    var port: Int
    var serverName: String?
    var caFile: String
    var certificateFile: String?
    var keyFile: String?
    var fallbackHost: String?
    var fallbackPort: Int?

    /// - Parameter configuration: Its first endpoint is used.
    init?(_ uplink: UplinkConfiguration) {
        guard let endpoint = uplink.endpoints.first else { return nil }
        host = endpoint.host
        port = endpoint.port
        serverName = endpoint.serverName
        caFile = uplink.caFile
        certificateFile = uplink.clientCertificateFile
        keyFile = uplink.clientKeyFile
        fallbackHost = uplink.fallback?.host
        fallbackPort = uplink.fallback?.port
    }
}

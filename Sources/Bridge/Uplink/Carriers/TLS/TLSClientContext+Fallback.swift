import BridgeCore
import TLSTransport

extension TLSClientContext {
    /// What all connections to the fallback have in common. The trusted authorities and the client certificate are those
    /// of the uplink over QUIC.
    init(_ fallback: UplinkFallback, _ uplink: UplinkConfiguration) throws {
        try self.init(
            TLSClientSettings(
                host: fallback.host, port: fallback.port, certificateName: fallback.certificateName,
                trust: .file(uplink.caFile), certificateFile: uplink.clientCertificateFile,
                keyFile: uplink.clientKeyFile, alpn: [UplinkConfiguration.Mapping.singleStreamProtocol],
                keyLogFile: uplink.tlsKeyLogFile, purpose: "uplink.fallback"))
    }
}

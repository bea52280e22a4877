import BridgeCore
import QUICTransport

extension UplinkEndpoint {
    /// The name that the server's certificate must have.
    package var certificateName: String { CertificateName.of(serverName ?? host) }
}

extension UplinkFallback {
    /// The name that the server's certificate must have.
    package var certificateName: String { CertificateName.of(serverName ?? host) }
}

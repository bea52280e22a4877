import BridgeCore
import QUICTransport

extension QUICConfiguration {
    /// What every connection to the operator's broker has in common.
    init(_ uplink: UplinkConfiguration) {
        self.init(alpn: uplink.alpn ?? uplink.mapping.alpn)
        handshakeTimeout = uplink.connectTimeout
        keepAlive = uplink.keepAlive
        congestionControl = .init(uplink.congestionControl)
        sendTwice = .init(uplink.sendTwice)
        qlogDirectory = uplink.qlogDirectory
    }
}

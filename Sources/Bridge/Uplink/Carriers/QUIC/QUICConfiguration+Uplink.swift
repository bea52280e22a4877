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
        // A device that publishes 100 times per second, which is a busy one, has its answers acknowledged with its next
        // message.
        maxAckDelay = .milliseconds(15)
        qlogDirectory = uplink.qlogDirectory
    }
}

import BridgeCore

extension ConfigurationReader {
    /// UDP ports on which brokers answer MQTT over TCP, and nobody over QUIC.
    private static let portsOfTCP = [1_883, 8_883, 8_884, 8_083, 8_084]

    /// What works, and is still likely to be a mistake.
    func warn(of configuration: BridgeConfiguration) {
        if Self.portsOfTCP.contains(configuration.uplink.port) {
            warning(
                .uplinkPort,
                "\(configuration.uplink.port) is usually a TCP port; MQTT over QUIC is usually at UDP 14567")
        }
        guard configuration.auth.mode == .inject else { return }
        warnOfSharedClientID(configuration)
        warnOfOpenListener(configuration)
    }

    private func warnOfSharedClientID(_ configuration: BridgeConfiguration) {
        guard let clientID = configuration.auth.identity.clientID, !clientID.contains("${") else { return }
        guard configuration.limits.devices > 1 else { return }
        let effect =
            "every device gets this one client id, and the broker ends the older session when a second device connects"
        warning(
            .authClientID,
            "\(effect); for a single device set limits.devices to 1, for more use a variable such as ${clientid}")
    }

    private func warnOfOpenListener(_ configuration: BridgeConfiguration) {
        guard configuration.auth.identity.password != nil else { return }
        for address in configuration.listen where !Self.isLoopback(address.host) {
            let place = ListenAddress(host: address.host, port: address.port).name
            warning(.listen, "whoever reaches \(place) is let in under the identity of auth; keep that network closed")
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        host.hasPrefix("127.") || host == "::1"
    }
}

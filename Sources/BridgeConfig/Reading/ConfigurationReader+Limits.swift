import BridgeCore

extension ConfigurationReader {
    /// `bridge.yaml.example` and docs/configuration.md name the same ranges.
    func limits() -> LimitsConfiguration {
        var limits = LimitsConfiguration()
        let defaultDevicesPerAddress = limits.devicesPerAddress
        limits.devices = integer(.limitsDevices, in: 1...1_000_000, "a number of devices") ?? limits.devices
        limits.devicesPerAddress =
            integer(.limitsDevicesPerAddress, in: 1...1_000_000, "a number of devices")
            ?? min(defaultDevicesPerAddress, limits.devices)
        limits.connectWithin =
            duration(.limitsConnectWithin, in: .milliseconds(100)...(.seconds(300))) ?? limits.connectWithin
        // MQTT 2.2.3: a remaining length of 268 435 455 and a fixed header of five bytes is the longest packet.
        limits.packetSize = size(.limitsPacketSize, in: 1_024...268_435_460) ?? limits.packetSize
        limits.sessionBuffer = size(.limitsSessionBuffer, in: 16_384...1_073_741_824) ?? limits.sessionBuffer
        limits.acceptRate =
            integer(.limitsAcceptRate, in: 1...1_000_000, "a number of connections per second") ?? limits.acceptRate
        limits.shutdownTimeout = duration(.limitsShutdownTimeout, in: .zero...(.seconds(300))) ?? limits.shutdownTimeout
        limits.drainTimeout = duration(.limitsDrainTimeout, in: .zero...(.seconds(86_400))) ?? limits.drainTimeout
        return limits
    }
}

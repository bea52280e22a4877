import BridgeCore

/// Renders where the broker is, and how devices survive the loss of the network.
extension EffectiveConfiguration {
    static func render(_ endpoints: [UplinkEndpoint], into yaml: inout YAMLText) {
        guard let only = endpoints.first, endpoints.count == 1, yaml.origins["uplink.endpoints"] == nil else {
            yaml.section("uplink.endpoints")
            for endpoint in endpoints { yaml.line("    - {\(fields(of: endpoint).joined(separator: ", "))}") }
            return
        }
        yaml.pair("uplink.host", YAMLText.scalar(only.host))
        yaml.pair("uplink.port", "\(only.port)")
        yaml.pair("uplink.server_name", only.serverName.map(YAMLText.scalar))
    }

    private static func fields(of endpoint: UplinkEndpoint) -> [String] {
        let serverName = endpoint.serverName.map { "server_name: \(YAMLText.scalar($0))" }
        return ["host: \(YAMLText.scalar(endpoint.host))", "port: \(endpoint.port)", serverName].compactMap { $0 }
    }

    static func render(_ fallback: UplinkFallback, into yaml: inout YAMLText) {
        yaml.section("uplink.fallback")
        yaml.pair("uplink.fallback.host", YAMLText.scalar(fallback.host))
        yaml.pair("uplink.fallback.port", "\(fallback.port)", comment: "TLS over TCP")
        yaml.pair("uplink.fallback.server_name", fallback.serverName.map(YAMLText.scalar))
        yaml.pair("uplink.fallback.after", DurationValue.render(fallback.after))
    }

    /// Leaves out keys that would have no effect.
    static func renderSurvival(of uplink: UplinkConfiguration, into yaml: inout YAMLText) {
        yaml.pair("uplink.path_timeout", uplink.pathTimeout.map(DurationValue.render) ?? "auto")
        yaml.pair("uplink.on_loss", uplink.onLoss.rawValue)
        if uplink.onLoss == .hold {
            yaml.pair("uplink.hold_time", DurationValue.render(uplink.hold.time))
            yaml.pair("uplink.hold_buffer", SizeValue.render(uplink.hold.buffer))
            yaml.pair("uplink.hold_buffer_total", SizeValue.render(uplink.hold.totalBuffer))
            yaml.pair("uplink.hold_qos0", uplink.hold.qos0.rawValue)
        }
        yaml.pair("uplink.zero_rtt", uplink.zeroRTT.rawValue)
        if uplink.warmsConnections { yaml.pair("uplink.warm", "\(uplink.warm)") }
        yaml.pair("uplink.ticket_file", uplink.ticketFile.map(YAMLText.scalar))
    }
}

import BridgeCore

extension EffectiveConfiguration {
    /// Renders the configuration of `serve`.
    package static func render(_ configuration: ServeConfiguration, origins: [String: Origin] = [:]) -> String {
        var yaml = YAMLText(origins: origins)
        yaml.section("serve")
        yaml.pair("serve.listen", YAMLText.list(configuration.listen.map(\.name)))
        yaml.pair("serve.certificate", YAMLText.scalar(configuration.certificateFile))
        yaml.pair("serve.key", YAMLText.scalar(configuration.keyFile))
        yaml.pair("serve.client_ca", configuration.clientCAFile.map(YAMLText.scalar))
        yaml.pair("serve.broker_host", YAMLText.scalar(configuration.brokerHost))
        yaml.pair("serve.broker_port", "\(configuration.brokerPort)")
        yaml.pair("serve.broker_connect_timeout", DurationValue.render(configuration.brokerConnectTimeout))
        yaml.pair("serve.proxy_protocol", "\(configuration.sendsProxyHeader)")
        yaml.pair("serve.retry", configuration.retry.rawValue)
        if configuration.retry == .auto { yaml.pair("serve.retry_above", "\(configuration.retryAbove)") }
        yaml.pair("serve.early_data", "\(configuration.acceptsEarlyData)")
        yaml.pair("serve.ticket_key_file", configuration.ticketKeyFile.map(YAMLText.scalar))
        if !configuration.serverID.isEmpty {
            yaml.pair("serve.server_id", YAMLText.quoted(ServerIDValue.render(configuration.serverID)))
        }
        yaml.pair("serve.idle_timeout", DurationValue.render(configuration.idleTimeout))
        yaml.pair("serve.congestion_control", configuration.congestionControl.rawValue)
        yaml.pair("serve.send_twice", configuration.sendTwice.rawValue)
        render(configuration.limits, into: &yaml)
        render(configuration.log, into: &yaml)
        render(threads: configuration.threads, gatherDelay: configuration.gatherDelay, into: &yaml)
        render(configuration.admin, into: &yaml)
        return yaml.text
    }

    private static func render(_ limits: ServeConfiguration.Limits, into yaml: inout YAMLText) {
        yaml.pair("serve.connections", "\(limits.connections)")
        yaml.pair("serve.connections_per_address", "\(limits.connectionsPerAddress)")
        yaml.pair("serve.streams_per_connection", "\(limits.streamsPerConnection)")
        yaml.pair("serve.handshakes_per_second", "\(limits.handshakesPerSecond)")
        yaml.pair("serve.connect_within", DurationValue.render(limits.connectWithin))
        yaml.pair("serve.stream_buffer", SizeValue.render(limits.streamBuffer))
        yaml.pair("serve.shutdown_timeout", DurationValue.render(limits.shutdownTimeout))
        yaml.pair("serve.drain_timeout", DurationValue.render(limits.drainTimeout))
    }
}

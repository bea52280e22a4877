// What a reload of `serve` does.
extension ServeConfiguration: Reloadable {
    package static let reloadRules = ownRules + ReloadRule.ofEveryCommand

    private static let ownRules: [ReloadRule<Self>] = [
        .restart("serve.listen", at: \.listen, "the addresses stay as they are until then"),
        ReloadRule("serve.certificate", at: \.certificateFile, .newDevices, fresh),
        ReloadRule("serve.key", at: \.keyFile, .newDevices, fresh),
        ReloadRule("serve.client_ca", at: \.clientCAFile, .newDevices, fresh),
        ReloadRule("serve.broker_host", at: \.brokerHost, .newConnections, streams),
        ReloadRule("serve.broker_port", at: \.brokerPort, .newConnections, streams),
        ReloadRule("serve.broker_connect_timeout", at: \.brokerConnectTimeout, .newConnections, streams),
        ReloadRule("serve.proxy_protocol", at: \.sendsProxyHeader, .newConnections, streams),
        ReloadRule("serve.retry", at: \.retry, .now, atOnce),
        ReloadRule("serve.retry_above", at: \.retryAbove, .now, atOnce),
        ReloadRule("serve.early_data", at: \.acceptsEarlyData, .newDevices, fresh),
        ReloadRule("serve.ticket_key_file", at: \.ticketKeyFile, .newDevices, tickets),
        .restart("serve.server_id", at: \.serverID, "connection IDs stay as they are until then"),
        ReloadRule("serve.idle_timeout", at: \.idleTimeout, .newDevices, fresh),
        ReloadRule("serve.congestion_control", at: \.congestionControl, .newDevices, fresh),
        ReloadRule("serve.send_twice", at: \.sendTwice, .newDevices, fresh),
        ReloadRule("serve.connections", at: \.limits.connections, .now, counted),
        ReloadRule("serve.connections_per_address", at: \.limits.connectionsPerAddress, .now, counted),
        ReloadRule("serve.streams_per_connection", at: \.limits.streamsPerConnection, .newDevices, fresh),
        ReloadRule("serve.handshakes_per_second", at: \.limits.handshakesPerSecond, .now, atOnce),
        ReloadRule("serve.connect_within", at: \.limits.connectWithin, .newDevices, fresh),
        ReloadRule("serve.stream_buffer", at: \.limits.streamBuffer, .newDevices, fresh),
        ReloadRule("serve.shutdown_timeout", at: \.limits.shutdownTimeout, .now, atOnce),
        ReloadRule("serve.drain_timeout", at: \.limits.drainTimeout, .now, atOnce),
    ]

    private static let fresh = "clients that connect from now on get it; connections that stand stay as they are"
    private static let tickets = "the tickets that clients get from now on are made with its key"
    private static let streams = "sessions that begin from now on use it; the others stay where they are"
    private static let atOnce = "it applies from now on"
    private static let counted = "it applies from now on; no client that is connected is disconnected because of it"
}

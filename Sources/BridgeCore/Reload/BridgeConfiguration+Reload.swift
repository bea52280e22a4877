// What a reload of `run` does. A test compares this with the keys that the loader knows, and another one with
// docs/operations.md.
extension BridgeConfiguration: Reloadable {
    package static let reloadRules: [ReloadRule<Self>] =
        topLevelRules + uplinkRules + fallbackRules
        + identityRules + survivalRules + authRules + limitsRules + ReloadRule.ofEveryCommand

    private static let topLevelRules: [ReloadRule<Self>] = [
        .restart("listen", at: \.listen, "the addresses stay as they are until then"),
        ReloadRule("profile", at: \.platform, .devicesConcerned, judged),
        ReloadRule("routes", at: \.routes, .devicesConcerned, rerouted),
        ReloadRule("unrouted", at: \.unrouted, .devicesConcerned, rerouted),
    ]

    private static let rerouted = "devices whose topics are mapped differently are disconnected and come back"
    private static let judged =
        "devices are disconnected and come back, because their topics are judged differently"
    private static let fresh = "new connections to the broker use it; those that stand stay"
    private static let atOnce = "it applies from now on"
    private static let newcomers = "devices that connect from now on get it"

    private static let uplinkRules: [ReloadRule<Self>] = [
        ReloadRule("uplink.host", at: \.uplink.host, .newConnections, fresh),
        ReloadRule("uplink.port", at: \.uplink.port, .newConnections, fresh),
        ReloadRule("uplink.server_name", at: \.uplink.serverName, .newConnections, fresh),
        ReloadRule("uplink.endpoints", at: \.uplink.endpointsBehindFirst, .newConnections, fresh),
        ReloadRule("uplink.ca", at: \.uplink.caFile, .newConnections, fresh),
        ReloadRule("uplink.client_certificate", at: \.uplink.clientCertificateFile, .newConnections, fresh),
        ReloadRule("uplink.client_key", at: \.uplink.clientKeyFile, .newConnections, fresh),
        .restart("uplink.mapping", at: \.uplink.mapping, "it decides how every session is carried"),
        ReloadRule("uplink.alpn", at: \.uplink.alpn, .newConnections, fresh)
            .bound(to: "uplink.mapping", restoring: \.uplink.alpn) { $0.uplink.mapping != $1.uplink.mapping },
        ReloadRule("uplink.devices_per_connection", at: \.uplink.devicesPerConnection, .newConnections, fresh),
        ReloadRule("uplink.address_family", at: \.uplink.addressFamily, .newConnections, fresh),
        ReloadRule("uplink.connect_timeout", at: \.uplink.connectTimeout, .newDevices, newcomers),
        ReloadRule("uplink.keep_alive", at: \.uplink.keepAlive, .newConnections, fresh),
        ReloadRule("uplink.idle_timeout", at: \.uplink.idleTimeout, .newConnections, fresh),
        ReloadRule("uplink.congestion_control", at: \.uplink.congestionControl, .newConnections, fresh),
        ReloadRule("uplink.send_twice", at: \.uplink.sendTwice, .newConnections, fresh),
        ReloadRule("uplink.backoff_minimum", at: \.uplink.backoffMinimum, .newConnections, fresh),
        ReloadRule("uplink.backoff_maximum", at: \.uplink.backoffMaximum, .newConnections, fresh),
        ReloadRule("uplink.reconnects_per_second", at: \.uplink.reconnectsPerSecond, .newConnections, fresh),
    ]

    private static let survivalRules: [ReloadRule<Self>] = [
        ReloadRule("uplink.path_timeout", at: \.uplink.pathTimeout, .newConnections, fresh),
        ReloadRule("uplink.on_loss", at: \.uplink.onLoss, .newDevices, newcomers),
        ReloadRule("uplink.hold_time", at: \.uplink.hold.time, .newDevices, newcomers),
        ReloadRule("uplink.hold_buffer", at: \.uplink.hold.buffer, .newDevices, newcomers),
        ReloadRule("uplink.hold_buffer_total", at: \.uplink.hold.totalBuffer, .now, atOnce),
        ReloadRule("uplink.hold_qos0", at: \.uplink.hold.qos0, .newDevices, newcomers),
        ReloadRule("uplink.zero_rtt", at: \.uplink.zeroRTT, .newConnections, fresh),
        ReloadRule("uplink.warm", at: \.uplink.warm, .newConnections, fresh),
        .restart(
            "uplink.ticket_file", at: \.uplink.ticketFile, "the tickets in use are written to the old file"),
        ReloadRule("uplink.tls_key_log", at: \.uplink.tlsKeyLogFile, .newConnections, fresh),
        ReloadRule("uplink.qlog", at: \.uplink.qlogDirectory, .newConnections, fresh),
    ]

    private static let fallbackRules: [ReloadRule<Self>] = [
        ReloadRule("uplink.fallback.host", at: \.uplink.fallback?.host, .newConnections, fresh),
        ReloadRule("uplink.fallback.port", at: \.uplink.fallback?.port, .newConnections, fresh),
        ReloadRule("uplink.fallback.server_name", at: \.uplink.fallback?.serverName, .newConnections, fresh),
        ReloadRule("uplink.fallback.after", at: \.uplink.fallback?.after, .newConnections, fresh),
    ].map { $0.bound(to: "uplink.mapping", restoring: \.uplink.fallback, if: changesSessions) }

    private static let identityRules: [ReloadRule<Self>] = [
        ReloadRule("uplink.identity.client_id", at: \.uplink.identity?.clientID, .newConnections, fresh),
        ReloadRule(
            "uplink.identity.username", "uplink.identity.username_file", at: \.uplink.identity?.username,
            .newConnections, fresh),
        ReloadRule(
            "uplink.identity.password", "uplink.identity.password_file", at: \.uplink.identity?.password,
            .newConnections, fresh),
        ReloadRule("uplink.identity.version", at: \.uplink.identity?.version, .newDevices, newcomers),
        ReloadRule("uplink.identity.keep_alive", at: \.uplink.identity?.keepAlive, .newConnections, fresh),
    ].map { $0.bound(to: "uplink.mapping", restoring: \.uplink.identity, if: changesSessions) }

    private static let authRules: [ReloadRule<Self>] = [
        ReloadRule("auth.mode", at: \.auth.mode, .devicesConcerned, renamed),
        ReloadRule("auth.client_id", at: \.auth.identity.clientID, .devicesConcerned, renamed),
        ReloadRule("auth.username", "auth.username_file", at: \.auth.identity.username, .devicesConcerned, renamed),
        ReloadRule("auth.password", "auth.password_file", at: \.auth.identity.password, .devicesConcerned, renamed),
        ReloadRule("auth.users_file", at: \.auth.usersFile, .newDevices, newcomers),
        ReloadRule("auth.anonymous", at: \.auth.allowsAnonymous, .newDevices, newcomers),
        ReloadRule("auth.bundles", at: \.auth.bundlesFolder, .devicesConcerned, renamed),
        ReloadRule("auth.bundle_map", at: \.auth.bundleMap, .devicesConcerned, renamed),
        ReloadRule("auth.device_passwords", at: \.auth.devicePasswords, .devicesConcerned, renamed),
        ReloadRule("auth.overrides", at: \.auth.overrides, .devicesConcerned, renamed),
    ].map { $0.bound(to: "uplink.mapping", restoring: \.auth, if: changesSessions) }

    private static let renamed = "devices that get another identity at the broker are disconnected and come back"

    private static let limitsRules: [ReloadRule<Self>] = [
        ReloadRule("limits.devices", at: \.limits.devices, .now, counted),
        ReloadRule("limits.devices_per_address", at: \.limits.devicesPerAddress, .now, counted),
        ReloadRule("limits.connect_within", at: \.limits.connectWithin, .newDevices, newcomers),
        ReloadRule("limits.packet_size", at: \.limits.packetSize, .newDevices, newcomers),
        ReloadRule("limits.session_buffer", at: \.limits.sessionBuffer, .newDevices, newcomers),
        ReloadRule("limits.accept_rate", at: \.limits.acceptRate, .now, atOnce),
        ReloadRule("limits.shutdown_timeout", at: \.limits.shutdownTimeout, .now, atOnce),
        ReloadRule("limits.drain_timeout", at: \.limits.drainTimeout, .now, atOnce),
    ]

    private static let counted = "it applies from now on; no device that is connected is disconnected because of it"

    /// Whether devices become, or cease to be, data streams of the gateway: who checks them, and by which identity they
    /// appear at the broker, makes sense for one kind only.
    @Sendable private static func changesSessions(_ old: Self, _ new: Self) -> Bool {
        old.uplink.mapping != new.uplink.mapping
            && (old.uplink.mapping == .dataStream || new.uplink.mapping == .dataStream)
    }
}

extension UplinkConfiguration {
    fileprivate var endpointsBehindFirst: [UplinkEndpoint] { Array(endpoints.dropFirst()) }
}

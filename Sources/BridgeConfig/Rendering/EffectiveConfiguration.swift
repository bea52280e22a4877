import BridgeCore

/// Renders the configuration that is in force as YAML, which is what `check` shows. Passwords are shown as asterisks.
package enum EffectiveConfiguration {
    private static let hidden = "hidden; not a value to copy"

    /// Renders the configuration of `run`.
    /// - Parameter origins: The origins of the loaded values. A value that comes from an environment variable or a profile
    ///   gets a comment with its name.
    package static func render(_ configuration: BridgeConfiguration, origins: [String: Origin] = [:]) -> String {
        var yaml = YAMLText(origins: origins)
        yaml.pair("profile", configuration.platform?.rawValue)
        render(configuration.listen, into: &yaml)
        render(configuration.uplink, hasProfile: configuration.platform != nil, into: &yaml)
        render(configuration.auth, into: &yaml)
        render(configuration.routes, into: &yaml)
        let isIdle = configuration.routes.isEmpty
        yaml.pair(
            "unrouted", configuration.unrouted.rawValue, comment: isIdle ? "of no effect without routes" : nil)
        render(configuration.limits, into: &yaml)
        render(configuration.log, into: &yaml)
        render(threads: configuration.threads, gatherDelay: configuration.gatherDelay, into: &yaml)
        render(configuration.admin, into: &yaml)
        return yaml.text
    }

    static func render(_ admin: AdminConfiguration, into yaml: inout YAMLText) {
        yaml.section("admin")
        yaml.pair("admin.listen", admin.listen.map { YAMLText.quoted($0.name) } ?? "off")
        yaml.pair("admin.token_file", admin.tokenFile.map(YAMLText.scalar))
        if !admin.hostNames.isEmpty { yaml.pair("admin.host_names", YAMLText.list(admin.hostNames)) }
    }

    static func render(_ log: LogConfiguration, into yaml: inout YAMLText) {
        yaml.section("log")
        yaml.pair("log.level", log.level.rawValue)
        yaml.pair("log.format", log.format.rawValue)
        yaml.pair("log.repeats", log.repeats.rawValue)
    }

    static func render(threads: Int, gatherDelay: Duration, into yaml: inout YAMLText) {
        yaml.pair("threads", "\(threads)")
        yaml.pair("gather_delay", DurationValue.render(gatherDelay))
    }

    private static func render(_ listen: [ListenAddress], into yaml: inout YAMLText) {
        let addresses = listen.map { ListenAddress(host: $0.host, port: $0.port).name }
        guard zip(listen, addresses).contains(where: { $0.name != $1 }) else {
            yaml.pair("listen", YAMLText.list(addresses))
            return
        }
        yaml.section("listen")
        for (listener, address) in zip(listen, addresses) {
            yaml.line("  - {address: \(YAMLText.quoted(address)), name: \(YAMLText.quoted(listener.name))}")
        }
    }

    private static func render(_ uplink: UplinkConfiguration, hasProfile: Bool, into yaml: inout YAMLText) {
        yaml.section("uplink")
        render(uplink.endpoints, into: &yaml)
        yaml.pair("uplink.ca", YAMLText.scalar(uplink.caFile))
        yaml.pair("uplink.client_certificate", uplink.clientCertificateFile.map(YAMLText.scalar))
        yaml.pair("uplink.client_key", uplink.clientKeyFile.map(YAMLText.scalar))
        let implied = uplink.alpn == nil ? "offers \(uplink.mapping.alpn.joined(separator: ", "))" : nil
        yaml.pair("uplink.mapping", uplink.mapping.rawValue, comment: implied)
        yaml.pair("uplink.alpn", uplink.alpn.map(YAMLText.list))
        if uplink.sharesConnectionsByMux {
            yaml.pair("uplink.devices_per_connection", "\(uplink.devicesPerConnection)")
        }
        yaml.pair("uplink.address_family", uplink.addressFamily.rawValue)
        yaml.pair("uplink.connect_timeout", DurationValue.render(uplink.connectTimeout))
        yaml.pair("uplink.keep_alive", DurationValue.render(uplink.keepAlive))
        yaml.pair("uplink.idle_timeout", DurationValue.render(uplink.idleTimeout))
        yaml.pair("uplink.congestion_control", uplink.congestionControl.rawValue)
        yaml.pair("uplink.send_twice", uplink.sendTwice.rawValue)
        yaml.pair("uplink.backoff_minimum", DurationValue.render(uplink.backoffMinimum))
        yaml.pair("uplink.backoff_maximum", DurationValue.render(uplink.backoffMaximum))
        yaml.pair("uplink.reconnects_per_second", "\(uplink.reconnectsPerSecond)")
        renderSurvival(of: uplink, into: &yaml)
        yaml.pair("uplink.tls_key_log", uplink.tlsKeyLogFile.map(YAMLText.scalar))
        yaml.pair("uplink.qlog", uplink.qlogDirectory.map(YAMLText.scalar))
        if let fallback = uplink.fallback {
            render(fallback, into: &yaml)
        } else if hasProfile {
            // So that this text, as a file, has no fallback either.
            yaml.section("uplink.fallback")
            yaml.pair("uplink.fallback.port", "off")
        }
        if let identity = uplink.identity { render(identity, into: &yaml) }
    }

    private static func render(_ identity: GatewayIdentity, into yaml: inout YAMLText) {
        yaml.section("uplink.identity")
        yaml.pair("uplink.identity.client_id", YAMLText.quoted(identity.clientID))
        yaml.pair("uplink.identity.username", identity.username.map(YAMLText.quoted))
        yaml.pair("uplink.identity.password", identity.password.map { "\"\($0)\"" }, comment: hidden)
        yaml.pair("uplink.identity.version", identity.version.rawValue)
        yaml.pair("uplink.identity.keep_alive", DurationValue.render(identity.keepAlive))
    }

    private static func render(_ auth: AuthConfiguration, into yaml: inout YAMLText) {
        yaml.section("auth")
        yaml.pair("auth.mode", auth.mode.rawValue)
        yaml.pair("auth.client_id", auth.identity.clientID.map(YAMLText.quoted))
        yaml.pair("auth.username", auth.identity.username.map(YAMLText.quoted))
        yaml.pair("auth.password", auth.identity.password.map { "\"\($0)\"" }, comment: hidden)
        if auth.mode == .bundles {
            yaml.pair("auth.bundles", auth.bundlesFolder.map(YAMLText.scalar))
            yaml.pair("auth.device_passwords", auth.devicePasswords.rawValue)
            if !auth.bundleMap.isEmpty { yaml.line("  bundle_map:") }
            for item in auth.bundleMap {
                let sides = [YAMLText.quoted(item.clientID), YAMLText.quoted(item.deviceID)]
                yaml.line("    - {client_id: \(sides[0]), device_id: \(sides[1])}")
            }
        }
        if auth.mode == .local {
            yaml.pair("auth.users_file", auth.usersFile.map(YAMLText.scalar))
            yaml.pair("auth.anonymous", "\(auth.allowsAnonymous)")
        }
        guard !auth.overrides.isEmpty else { return }
        yaml.line("  overrides:")
        for override in auth.overrides { yaml.line("    - {\(fields(of: override).joined(separator: ", "))}") }
    }

    private static func fields(of override: AuthConfiguration.Override) -> [String] {
        let match =
            switch override.match {
            case .clientID(let value): "match: {client_id: \(YAMLText.quoted(value))}"
            case .username(let value): "match: {username: \(YAMLText.quoted(value))}"
            }
        return [
            match,
            override.identity.clientID.map { "client_id: \(YAMLText.quoted($0))" },
            override.identity.username.map { "username: \(YAMLText.quoted($0))" },
            override.identity.password.map { "password: \"\($0)\"" },
        ].compactMap { $0 }
    }

    private static func render(_ routes: [Route], into yaml: inout YAMLText) {
        guard !routes.isEmpty else {
            yaml.pair("routes", "[]", comment: "every topic passes unchanged")
            return
        }
        yaml.section("routes")
        for route in routes {
            let sides = "local: \(YAMLText.quoted(route.local)), remote: \(YAMLText.quoted(route.remote))"
            let rest =
                "direction: \(route.direction.rawValue), max_qos: \(route.maximumQoS), retain: \(route.retain.rawValue)"
            yaml.line("  - {\(sides), \(rest)}")
        }
    }

    private static func render(_ limits: LimitsConfiguration, into yaml: inout YAMLText) {
        yaml.section("limits")
        yaml.pair("limits.devices", "\(limits.devices)")
        yaml.pair("limits.devices_per_address", "\(limits.devicesPerAddress)")
        yaml.pair("limits.connect_within", DurationValue.render(limits.connectWithin))
        yaml.pair("limits.packet_size", SizeValue.render(limits.packetSize))
        yaml.pair("limits.session_buffer", SizeValue.render(limits.sessionBuffer))
        yaml.pair("limits.accept_rate", "\(limits.acceptRate)")
        yaml.pair("limits.shutdown_timeout", DurationValue.render(limits.shutdownTimeout))
        yaml.pair("limits.drain_timeout", DurationValue.render(limits.drainTimeout))
    }
}

import BridgeCore

extension ConfigurationReader {
    /// Warns of settings that work but are likely to be mistakes.
    func warn(of configuration: BridgeConfiguration) {
        warnOfPointlessKeys(configuration.uplink)
        warnOfPointlessSurvival(configuration.uplink)
        warnOfUnboundDevices(configuration)
        warnOfPasswordsWithoutUserName(configuration.auth)
        switch configuration.auth.mode {
        case .passthrough:
            break
        case .inject:
            warnOfSharedClientID(configuration)
            if configuration.auth.identity.password != nil {
                warnOfOpenListener(configuration, "under the identity of auth")
            }
        case .bundles:
            let how = "as the device whose id it sends, with the password of that device's bundle (auth.bundles)"
            warnOfOpenListener(configuration, how)
        case .local:
            if configuration.auth.allowsAnonymous {
                warnOfOpenListener(configuration, "without a user name, as auth.anonymous is true")
                warnOfNamelessDevices(configuration.routes)
            }
        }
    }

    private func warnOfPointlessKeys(_ uplink: UplinkConfiguration) {
        guard settings.origin(of: .uplinkDevicesPerConnection) != nil, !uplink.sharesConnectionsByMux else { return }
        let isAuto = uplink.mapping == .auto
        let mapping = isAuto ? "auto without \(Mapping.muxProtocol) in uplink.alpn" : uplink.mapping.rawValue
        let reason =
            uplink.mapping == .dataStream
            ? "the broker says how many streams it allows" : "each device has one of its own"
        warning(.uplinkDevicesPerConnection, "has no effect with mapping \(mapping): \(reason)")
    }

    /// With `data-stream` the broker cannot tell devices apart: each device may do everything that the gateway may do.
    private func warnOfUnboundDevices(_ configuration: BridgeConfiguration) {
        guard configuration.uplink.mapping == .dataStream, configuration.routes.isEmpty else { return }
        let effect =
            "without routes every device may publish and subscribe to everything that the broker allows the gateway"
        warning(
            .uplinkMapping, "\(effect); write routes with ${username} or ${clientid} to give each device its own topics"
        )
    }

    /// Warns of passwords that devices without a user name cannot have: 3.1 and 3.1.1 know none without a user name.
    private func warnOfPasswordsWithoutUserName(_ auth: AuthConfiguration) {
        let effect = "3.1 and 3.1.1 devices without a user name are refused: they cannot send a password without one"
        if auth.mode == .inject, auth.identity.password != nil, auth.identity.username == nil {
            let key = settings.scalars[.authPassword] == nil ? Key.authPasswordFile : .authPassword
            warning(key, "there is no auth.username, so \(effect)")
        }
        guard case .list(let items)? = settings.nodes[.authOverrides]?.content, items.count == auth.overrides.count
        else { return }
        for (index, (item, override)) in zip(items, auth.overrides).enumerated() {
            guard case .clientID = override.match, override.identity.password != nil, override.identity.username == nil
            else { continue }
            diagnostics.warning(
                item.origin, "auth.overrides[\(index)]", "has a password and no username, so \(effect)")
        }
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

    /// Warns that routes refuse anonymous devices: a device without a value for a route's variable is refused.
    private func warnOfNamelessDevices(_ routes: [Route]) {
        guard let index = RouteCheck.firstIndex(in: routes, naming: .username) else { return }
        let reason = "routes[\(index)] contains ${username}, and they have no value for it"
        warning(.authAnonymous, "devices without a user name are still refused: \(reason)")
    }

    private func warnOfOpenListener(_ configuration: BridgeConfiguration, _ how: String) {
        for address in configuration.listen where !address.isLoopback {
            let place = ListenAddress(host: address.host, port: address.port).name
            warning(.listen, "anyone who reaches \(place) is let in \(how); keep that network closed")
        }
    }
}

extension UplinkConfiguration {
    /// Whether several devices can share one connection, each with a session of its own.
    var sharesConnectionsByMux: Bool {
        switch mapping {
        case .auto, .mux: (alpn ?? mapping.alpn).contains(Mapping.muxProtocol)
        case .connection, .dataStream: false
        }
    }
}

import BridgeCore

/// Applies the `MQTT_` names of the `.env` that TESAIoT gives a device, so that this file works here unchanged.
struct DeviceNames {
    let overrides: Overrides

    enum Name: String, CaseIterable {
        case host = "MQTT_HOST"
        case port = "MQTT_PORT"
        case caCertificate = "MQTT_CA_CERT"
        case connectTimeout = "MQTT_CONNECT_TIMEOUT"
        case clientID = "MQTT_CLIENT_ID"
        case username = "MQTT_USERNAME"
        case password = "MQTT_PASSWORD"
        case transport = "MQTT_TRANSPORT"
        case tlsEnabled = "MQTT_TLS_ENABLED"
        case tlsVersion = "MQTT_TLS_VERSION"
        case keepAlive = "MQTT_KEEPALIVE"
        case cleanSession = "MQTT_CLEAN_SESSION"
    }

    /// The rest of the name says what the topic is for.
    private static let topicPrefix = "MQTT_TOPIC_"

    var diagnostics: Diagnostics { overrides.diagnostics }

    func apply(to settings: inout Settings) {
        var found: [Name: Setting] = [:]
        var ignored: [String] = []
        for (variable, setting) in variables() {
            if let name = Name(rawValue: variable) {
                // `variables()` returns the environment after `.env`, so the environment wins.
                found[name] = setting
            } else if variable.hasPrefix(Self.topicPrefix) {
                ignored.append(variable)
            } else if !setting.origin.isEnvironment {
                let advice = NearestName.of(variable, in: Name.allCases.map(\.rawValue), after: "MQTT_").map {
                    "; did you mean \($0)?"
                }
                diagnostics.warning(setting.origin, nil, "is not understood, and is ignored\(advice ?? "")")
            }
        }
        checkTransport(found)
        applyUplink(found, to: &settings)
        applyIdentity(found, to: &settings)
        ignored += [Name.keepAlive, .cleanSession].filter { found[$0] != nil }.map(\.rawValue)
        guard !ignored.isEmpty else { return }
        let names = Set(ignored).sorted().joined(separator: ", ")
        diagnostics.warning(Origin(.nowhere(name: "note")), nil, "\(names): ignored; each device chooses these itself")
    }

    /// The `MQTT_` names of the environment after those of `.env`, so that the environment wins.
    func variables() -> [(String, Setting)] {
        var all: [(String, Setting)] = []
        for entry in overrides.dotEnv?.entries ?? [] where entry.name.hasPrefix("MQTT_") && !entry.value.isEmpty {
            let origin = overrides.origin(of: entry)
            overrides.warnOfComment(entry, isSecret: entry.name == Name.password.rawValue)
            all.append(
                (
                    entry.name,
                    Setting(
                        text: entry.value, origin: origin, layer: .deviceNamesInDotEnv, folder: overrides.dotEnvFolder)
                ))
        }
        for (name, value) in overrides.environment where name.hasPrefix("MQTT_") && !value.isEmpty {
            let origin = Origin(.environment(variable: name))
            all.append((name, Setting(text: value, origin: origin, layer: .deviceNamesInEnvironment, folder: "")))
        }
        return all
    }

    /// Refuses values that ask for something other than QUIC and TLS 1.3, which must not be ignored silently.
    func checkTransport(_ found: [Name: Setting]) {
        if let setting = found[.transport], setting.text.lowercased() != "quic" {
            let message =
                "\"\(TextValue.shortened(setting.text))\" is refused: towards the broker this program speaks MQTT over QUIC only; write quic"
            diagnostics.error(setting.origin, nil, message)
        }
        if let setting = found[.tlsEnabled], !["true", "1", "yes", "on"].contains(setting.text.lowercased()) {
            let message =
                "\"\(TextValue.shortened(setting.text))\" is refused: this program never sends plain text to the broker; write true"
            diagnostics.error(setting.origin, nil, message)
        }
        if let setting = found[.tlsVersion], !["1.3", "tlsv1.3", "tls1.3"].contains(setting.text.lowercased()) {
            let message = "\"\(TextValue.shortened(setting.text))\" is refused: QUIC has no TLS but 1.3; write 1.3"
            diagnostics.error(setting.origin, nil, message)
        }
    }

    private func applyUplink(_ found: [Name: Setting], to settings: inout Settings) {
        let keys: [(Name, Key)] = [
            (.host, .uplinkHost), (.port, .uplinkPort), (.caCertificate, .uplinkCA),
            (.connectTimeout, .uplinkConnectTimeout),
        ]
        for (name, key) in keys {
            if let setting = found[name] { settings.set(key, setting) }
        }
    }

    /// With the mapping `data-stream` the broker sees only the gateway, so the identity is the gateway's. With the other
    /// mappings the identity is injected, unless `auth.mode` says otherwise. If no mode is set, the names are the whole
    /// identity of a TESAIoT device, whose client id is its user name.
    private func applyIdentity(_ found: [Name: Setting], to settings: inout Settings) {
        guard settings.scalars[.uplinkMapping]?.text != UplinkConfiguration.Mapping.dataStream.rawValue else {
            applyGatewayIdentity(found, to: &settings)
            return
        }
        let identity: [(Name, Key)] = [
            (.clientID, .authClientID), (.username, .authUsername), (.password, .authPassword),
        ]
        let present = identity.compactMap { name, key in found[name].map { (key: key, setting: $0) } }
        guard let first = present.first else { return }
        if let mode = settings.scalars[.authMode] {
            guard mode.text == "inject" else {
                for (_, setting) in present {
                    diagnostics.warning(setting.origin, nil, "ignored, as auth.mode is set to \(mode.text)")
                }
                return
            }
        } else {
            var mode = first.setting
            mode.text = "inject"
            settings.set(.authMode, mode)
            if let username = found[.username], settings.scalars[.authClientID] == nil {
                settings.set(.authClientID, username)
            }
        }
        for (key, setting) in present { settings.set(key, setting) }
    }

    /// If no client id is given anywhere, it is the user name, as on TESAIoT.
    private func applyGatewayIdentity(_ found: [Name: Setting], to settings: inout Settings) {
        if found[.clientID] == nil, let username = found[.username],
            settings.scalars[.uplinkIdentityClientID] == nil
        {
            settings.set(.uplinkIdentityClientID, username)
        }
        let keys: [(Name, Key)] = [
            (.clientID, .uplinkIdentityClientID), (.username, .uplinkIdentityUsername),
            (.password, .uplinkIdentityPassword),
        ]
        for (name, key) in keys {
            if let setting = found[name] { settings.set(key, setting) }
        }
    }
}

import BridgeCore

/// Reads the mapping, and the keys that only some mappings have.
extension ConfigurationReader {
    typealias Mapping = UplinkConfiguration.Mapping

    func mapping() -> Mapping {
        choice(.uplinkMapping) ?? .auto
    }

    /// Whether the mapping is valid. If it is not, other keys cannot be checked against it.
    var mappingIsReadable: Bool {
        settings.scalars[.uplinkMapping].map { Mapping(rawValue: $0.text) != nil }
            ?? !settings.misshapen.contains(.uplinkMapping)
    }

    // MARK: - Protocol names

    func alpn(for mapping: Mapping) -> [String]? {
        guard let items = words(.uplinkALPN) else { return nil }
        for item in items
        where !(1...255).contains(item.text.utf8.count) || !item.text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            let advice = "a protocol name is 1 to 255 visible ASCII characters, such as mqtt"
            diagnostics.error(
                item.origin, Key.uplinkALPN.rawValue, "\(values.quoted(item.text)) is not a protocol name; \(advice)")
        }
        guard (1...8).contains(items.count) else {
            error(.uplinkALPN, "a list of 1 to 8 protocol names, such as [mqtt]")
            return nil
        }
        if mappingIsReadable { check(items, for: mapping) }
        return items.map(\.text)
    }

    /// Reports names that do not fit the mapping: the server chooses one of them, and thereby decides whether every stream
    /// is a session of its own.
    private func check(_ names: [Setting], for mapping: Mapping) {
        let muxName = names.first { $0.text == Mapping.muxProtocol }
        switch mapping {
        case .auto:
            break
        case .mux where muxName == nil:
            error(.uplinkALPN, "\(Mapping.muxProtocol) is missing, and mapping mux needs it")
        case .mux:
            for other in names where other.text != Mapping.muxProtocol {
                let effect = "a server that chooses \(values.quoted(other.text)) cannot be used with mapping mux"
                diagnostics.warning(
                    other.origin, Key.uplinkALPN.rawValue, "\(effect); remove it, or write mapping: auto")
            }
        case .connection, .dataStream:
            guard let muxName else { return }
            let effect = "a server that chooses \(Mapping.muxProtocol) expects mapping mux"
            diagnostics.error(
                muxName.origin, Key.uplinkALPN.rawValue,
                "\(effect), not \(mapping.rawValue); remove it, or write mapping: auto")
        }
    }

    // MARK: - The gateway's identity

    private static let identityKeys: [IdentityField: Key] = [
        .clientID: .uplinkIdentityClientID, .username: .uplinkIdentityUsername,
        .usernameFile: .uplinkIdentityUsernameFile, .password: .uplinkIdentityPassword,
        .passwordFile: .uplinkIdentityPasswordFile,
    ]

    /// In bytes. Leaves room for the number that follows the client id: `-1` and so on.
    private static let maximumClientIDSize = TextValue.maximumSize - 20

    func gatewayIdentity(for mapping: Mapping) -> GatewayIdentity? {
        guard mapping == .dataStream else {
            if mappingIsReadable { refuseIdentity(with: mapping) }
            return nil
        }
        let fields = Self.identityKeys.compactMapValues { settings.scalars[$0] }
        let identity = identity(fields, "uplink.identity", allowsVariables: false)
        let version = choice(.uplinkIdentityVersion) ?? GatewayIdentity.Version.any
        checkClientID(identity.clientID)
        checkPassword(fields, version)
        return GatewayIdentity(
            clientID: identity.clientID ?? "", username: identity.username, password: identity.password,
            version: version, keepAlive: gatewayKeepAlive() ?? .seconds(60))
    }

    private func refuseIdentity(with mapping: Mapping) {
        let keys = Key.allCases.filter { $0.section == "uplink.identity" && settings.origin(of: $0) != nil }
        for key in keys {
            let advice = "write mapping: \(Mapping.dataStream.rawValue) under uplink:, or remove this"
            error(key, "has no effect with mapping \(mapping.rawValue); \(advice)")
        }
    }

    private func checkClientID(_ clientID: String?) {
        guard settings.scalars[.uplinkIdentityClientID] != nil else {
            let sessions = "with mapping data-stream the broker sees <client_id>-1, <client_id>-2 and so on"
            missing(.uplinkIdentityClientID, "the client id of the gateway itself, as \(sessions)")
            return
        }
        if let clientID, clientID.utf8.count > Self.maximumClientIDSize {
            let reason = "it is followed by a number, and MQTT allows \(TextValue.maximumSize)"
            error(.uplinkIdentityClientID, "is longer than \(Self.maximumClientIDSize) bytes; \(reason)")
        }
    }

    /// MQTT 3.1.1 allows no password without a user name [MQTT-3.1.2-22]; MQTT 5.0 does.
    private func checkPassword(_ fields: [IdentityField: Setting], _ version: GatewayIdentity.Version) {
        guard fields[.username] == nil, fields[.usernameFile] == nil, version != .v5_0 else { return }
        guard let password = fields[.password] ?? fields[.passwordFile] else { return }
        let key = fields[.password] == nil ? Key.uplinkIdentityPasswordFile : .uplinkIdentityPassword
        let reason = "MQTT 3.1.1 allows no password without one"
        diagnostics.error(
            password.origin, key.rawValue, "needs uplink.identity.username beside it, or version: 5.0; \(reason)")
    }

    /// MQTT 3.1.2.10: a number of seconds in 16 bits.
    private func gatewayKeepAlive() -> Duration? {
        let keepAlive = duration(.uplinkIdentityKeepAlive, in: .seconds(5)...(.seconds(65_535)))
        if let keepAlive, keepAlive.components.attoseconds != 0 {
            error(.uplinkIdentityKeepAlive, "MQTT counts whole seconds here")
        }
        return keepAlive
    }
}

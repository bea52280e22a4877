import BridgeCore

extension ConfigurationReader {
    private static let maximumOverrides = 10_000
    /// The keys of an item of `auth.overrides`.
    static let overrideKeys = ["match"] + IdentityField.allCases.map(\.rawValue)
    /// In bytes; the runtime has the same limit.
    private static let maximumUsersFileSize = 33_554_432

    private static let identityKeys: [IdentityField: Key] = [
        .clientID: .authClientID, .username: .authUsername, .usernameFile: .authUsernameFile,
        .password: .authPassword, .passwordFile: .authPasswordFile,
    ]

    /// The mapping decides who checks devices: with `data-stream` the bridge does, with the others the broker.
    func auth(for mapping: UplinkConfiguration.Mapping) -> AuthConfiguration {
        var auth = AuthConfiguration(mode: choice(.authMode) ?? .passthrough)
        let fields = Self.identityKeys.compactMapValues { settings.scalars[$0] }
        auth.identity = identity(fields, "auth")
        auth.overrides = overrides()
        auth.bundlesFolder = bundlesFolder()
        auth.bundleMap = bundleMap()
        auth.devicePasswords = choice(.authDevicePasswords) ?? auth.devicePasswords
        auth.usersFile = usersFile()
        auth.allowsAnonymous = boolean(.authAnonymous) ?? auth.allowsAnonymous
        let modeIsReadable =
            settings.scalars[.authMode].map { AuthConfiguration.Mode(rawValue: $0.text) != nil } ?? true
        guard modeIsReadable, !settings.misshapen.contains(.authMode) else { return auth }
        if mappingIsReadable { check(auth.mode, with: mapping) }
        switch auth.mode {
        case .passthrough:
            refuse(
                Array(Self.identityKeys.values), with: "passthrough", "write mode: inject under auth:, or remove this")
        case .inject where !Self.identityKeys.values.contains(where: settings.isGiven):
            error(.authMode, "inject needs at least one of auth.client_id, auth.username and auth.password")
        case .inject:
            break
        case .bundles:
            refuse(Array(Self.identityKeys.values), with: "bundles", "remove this")
            if settings.scalars[.authBundles] == nil {
                missing(.authBundles, "the folder with a TESAIoT bundle per device, such as credential_certificates")
            }
        case .local:
            refuse(Self.identityKeys.values + [.authOverrides], with: "local", "remove this")
            checkWhoIsLetIn(auth)
        }
        if auth.mode != .bundles {
            let advice = "write mode: bundles under auth:, or remove this"
            refuse([.authBundles, .authBundleMap, .authDevicePasswords], with: auth.mode.rawValue, advice)
        }
        if auth.mode != .local {
            let advice = "write mode: local under auth:, or remove this"
            refuse([.authUsersFile, .authAnonymous], with: auth.mode.rawValue, advice)
        }
        return auth
    }

    private func refuse(_ keys: [Key], with mode: String, _ advice: String) {
        for key in keys where settings.origin(of: key) != nil {
            error(key, "has no effect with mode \(mode); \(advice)")
        }
    }

    // MARK: - Local

    private func check(_ mode: AuthConfiguration.Mode, with mapping: UplinkConfiguration.Mapping) {
        if mapping == .dataStream, mode != .local {
            let reason =
                "there the broker never sees a device's user name and password, and the bridge checks them itself"
            error(.authMode, "uplink.mapping data-stream needs mode local, not \(mode.rawValue): \(reason)")
        } else if mapping != .dataStream, mode == .local {
            let reason = "with mapping \(mapping.rawValue) the broker checks devices itself"
            error(.authMode, "local needs uplink.mapping data-stream; \(reason): write passthrough, inject or bundles")
        }
    }

    private func checkWhoIsLetIn(_ auth: AuthConfiguration) {
        guard !settings.isGiven(.authUsersFile), !auth.allowsAnonymous else { return }
        // A value that is neither true nor false has been reported already.
        guard !settings.misshapen.contains(.authAnonymous) else { return }
        guard settings.scalars[.authAnonymous]?.text.lowercased() ?? "false" == "false" else { return }
        error(.authMode, "local lets no device in without auth.users_file, or auth.anonymous: true, or both")
    }

    /// Checks only that the file can be read. The runtime reads its lines, also when the file changes.
    private func usersFile() -> String? {
        guard let path = path(.authUsersFile) else { return nil }
        do {
            if try FileText.read(path, maximumSize: Self.maximumUsersFileSize).isReadableByOthers {
                warning(.authUsersFile, "\(path) can be read by other users; chmod 600 it")
            }
        } catch {
            let advice = error.isMissing ? "; mosquitto_passwd -c \(path) NAME makes one" : ""
            self.error(.authUsersFile, "\(path): \(error.message)\(advice)")
        }
        return path
    }

    // MARK: - Overrides

    private func overrides() -> [AuthConfiguration.Override] {
        guard let node = settings.nodes[.authOverrides] else { return [] }
        guard case .list(let items) = node.content else {
            error(.authOverrides, "expected a list, found \(node.kind); each item begins with a dash")
            return []
        }
        if items.count > Self.maximumOverrides { error(.authOverrides, "more than \(Self.maximumOverrides) overrides") }
        // The program compares client ids and user names byte for byte, and not as Swift does, by what they look like.
        var seen: Set<[UInt8]> = []
        return items.enumerated().compactMap { index, item in
            let path = "auth.overrides[\(index)]"
            guard let override = override(item, path) else { return nil }
            if !seen.insert(Array("\(override.match)".utf8)).inserted {
                diagnostics.error(item.origin, path, "a previous override has the same match, and the first one wins")
            }
            return override
        }
    }

    private func override(_ node: YAMLNode, _ path: String) -> AuthConfiguration.Override? {
        guard let entries = entries(of: node, path, known: Self.overrideKeys) else { return nil }
        var fields: [IdentityField: Setting] = [:]
        for field in IdentityField.allCases {
            fields[field] = entries[field.rawValue].flatMap { scalar($0, "\(path).\(field.rawValue)") }
        }
        let identity = identity(fields, path)
        if fields.isEmpty, IdentityField.allCases.allSatisfy({ entries[$0.rawValue] == nil }) {
            diagnostics.error(node.origin, path, "changes nothing; write client_id, username or password")
        }
        guard let match = entries["match"] else {
            diagnostics.error(node.origin, path, "match is missing, such as match: {client_id: sensor-1}")
            return nil
        }
        return self.match(match, "\(path).match").map { AuthConfiguration.Override(match: $0, identity: identity) }
    }

    private func match(_ node: YAMLNode, _ path: String) -> AuthConfiguration.Override.Match? {
        guard let entries = entries(of: node, path, known: ["client_id", "username"]) else { return nil }
        guard entries.count <= 1 else {
            diagnostics.error(node.origin, path, "matches by client_id or by username, not by both")
            return nil
        }
        guard let (name, value) = entries.first else {
            diagnostics.error(node.origin, path, "give client_id or username")
            return nil
        }
        let text = scalar(value, "\(path).\(name)").flatMap { values.text($0, "\(path).\(name)") }
        return text.map { name == "client_id" ? .clientID($0) : .username($0) }
    }
}

import BridgeCore

extension ConfigurationReader {
    private static let maximumOverrides = 10_000

    func auth() -> AuthConfiguration {
        let mode = choice(.authMode) ?? AuthConfiguration.Mode.passthrough
        let fields: [IdentityField: Setting] = [
            .clientID: .authClientID, .username: .authUsername, .usernameFile: .authUsernameFile,
            .password: .authPassword, .passwordFile: .authPasswordFile,
        ].compactMapValues { settings.scalars[$0] }
        let identity = identity(fields, "auth")
        let modeIsReadable =
            settings.scalars[.authMode].map { AuthConfiguration.Mode(rawValue: $0.text) != nil } ?? true
        if mode == .passthrough, modeIsReadable {
            for (field, setting) in fields {
                let advice = "write mode: inject under auth:, or remove this"
                diagnostics.error(
                    setting.origin, "auth.\(field.rawValue)", "has no effect with mode passthrough; \(advice)")
            }
        } else if fields.isEmpty, modeIsReadable {
            error(.authMode, "inject needs at least one of auth.client_id, auth.username and auth.password")
        }
        return AuthConfiguration(mode: mode, identity: identity, overrides: overrides())
    }

    // MARK: - Overrides

    private func overrides() -> [AuthConfiguration.Override] {
        guard let node = settings.nodes[.authOverrides] else { return [] }
        guard case .list(let items) = node.content else {
            error(.authOverrides, "expected a list, found \(node.kind); each item begins with a dash")
            return []
        }
        if items.count > Self.maximumOverrides { error(.authOverrides, "more than \(Self.maximumOverrides) overrides") }
        var seen: Set<String> = []
        return items.enumerated().compactMap { index, item in
            let path = "auth.overrides[\(index)]"
            guard let override = override(item, path) else { return nil }
            if !seen.insert("\(override.match)").inserted {
                diagnostics.error(item.origin, path, "an override above has the same match, and the first wins")
            }
            return override
        }
    }

    private func override(_ node: YAMLNode, _ path: String) -> AuthConfiguration.Override? {
        let known = ["match"] + IdentityField.allCases.map(\.rawValue)
        guard let entries = entries(of: node, path, known: known) else { return nil }
        var fields: [IdentityField: Setting] = [:]
        for field in IdentityField.allCases {
            fields[field] = entries[field.rawValue].flatMap { scalar($0, "\(path).\(field.rawValue)") }
        }
        let identity = identity(fields, path)
        if fields.isEmpty, IdentityField.allCases.allSatisfy({ entries[$0.rawValue] == nil }) {
            diagnostics.error(node.origin, path, "changes nothing; give client_id, username or password")
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

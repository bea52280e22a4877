import BridgeConfig
import BridgeCore

extension SetupPlan {
    /// The configuration file.
    package var text: String {
        var lines = [
            "# Written by mqtt-quic-bridge init. docs/configuration.md and bridge.yaml.example describe every key.", "",
        ]
        if let profile = values.profile {
            lines += [
                "# Defaults for the platform; check shows them. Devices that already use its topics need:  routes: []",
                "profile: \(profile.rawValue)", "",
            ]
        }
        lines += ["# Where devices connect, over plain MQTT. 127.0.0.1 is this machine only."]
        lines += ["listen: [\(YAMLText.quoted(values.listen ?? "127.0.0.1:1883"))]", "", "uplink:"]
        lines += uplink
        return (lines + [""] + auth).joined(separator: "\n") + "\n"
    }

    private var uplink: [String] {
        var lines: [String] = []
        if values.leavesRestToDotEnv {
            lines.append("  # What .env says of host and port overrides this file.")
        }
        let (host, port) =
            values.leavesRestToDotEnv ? (request.host, request.port) : (values.host, values.port)
        if let host { lines.append("  host: \(YAMLText.scalar(host))") }
        if let port { lines.append("  port: \(port)") }
        lines.append("  ca: \(YAMLText.scalar(values.ca))")
        guard let port = values.fallbackPort else { return lines }
        lines += ["  # MQTT over TLS over TCP, for networks that block UDP.", "  fallback:"]
        if let host = values.fallbackHost { lines.append("    host: \(YAMLText.scalar(host))") }
        return lines + ["    port: \(port)"]
    }

    private var auth: [String] {
        guard let clientID = values.clientID else {
            guard !values.leavesRestToDotEnv else {
                return [
                    values.dotEnvHasIdentity
                        ? "# The identity at the broker is in .env, which overrides this file."
                        : "# Devices show the broker their own client id, user name and password, unless .env names others."
                ]
            }
            return [
                "# Devices show the broker their own client id, user name and password.", "auth:",
                "  mode: passthrough",
            ]
        }
        return [
            "# The broker sees the device behind this gateway as this one. On TESAIoT the client id is the user name.",
            "auth:", "  mode: inject", "  client_id: \(YAMLText.quoted(clientID))",
        ]
            + [
                values.username.map { "  username: \(YAMLText.quoted($0))" },
                values.passwordFile.map { "  password_file: \(YAMLText.scalar($0))" }
                    ?? "  # The rest of the identity is in .env, which overrides this file.",
            ].compactMap { $0 }
    }

    /// What the operator sees before the configuration is checked.
    ///
    /// - Parameter notes: What ``write()`` has returned.
    package func report(_ notes: [String] = []) -> String {
        let width = found.map(\.name.count).max() ?? 0
        let rows = found.map { "  \($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.text)" }
        var lines = ["found"] + rows
        let toLookAt = missing + notes
        if !toLookAt.isEmpty { lines += ["to look at"] + toLookAt.map { "  \($0)" } }
        if let unpacked { lines.append("unpacked into \(unpacked.folder)") }
        return (lines + ["wrote \(paths.file)"]).joined(separator: "\n")
    }
}

import BridgeConfig
import BridgeCore

/// A configuration is refused with errors of one line each, or it loads; what `check` shows of it loads again as the
/// same.
///
/// Before a NUL, the input is the YAML file; after it, the `.env` beside it.
package enum ConfigurationTarget: FuzzTarget {
    package static let name = "configuration"
    package static let summary = "YAML and .env are refused with errors, or load; what is shown loads as the same"
    package static let maximumLength = 3072
    package static let seeds = texts.map { Array($0.utf8) }
    package static let words =
        [
            "listen:", "uplink:", "endpoints:", "host:", "port:", "server_name:", "ca:", "mapping:", "alpn:",
            "identity:",
            "client_id:", "username:", "password:", "password_file:", "keep_alive:", "idle_timeout:", "path_timeout:",
            "send_twice:", "on_loss:", "hold_time:", "hold_buffer:", "hold_qos0:", "zero_rtt:", "warm:", "ticket_file:",
            "fallback:", "after:", "auth:", "mode:", "users_file:", "anonymous:", "overrides:", "match:", "bundles:",
            "bundle_map:", "routes:", "local:", "remote:", "direction:", "max_qos:", "retain:", "unrouted:", "limits:",
            "packet_size:", "log:", "level:", "format:", "threads:", "admin:", "token_file:", "serve:", "certificate:",
            "key:", "broker_host:", "proxy_protocol:", "server_id:", "profile: tesaiot", "${username}", "<<:", "&a ",
            "*a", "!!str ", "---", "...", "|\n", ">-\n", "\u{0}", "export ", "MQTT_HOST=", "BRIDGE_UPLINK_",
        ].map { Array($0.utf8) }

    package static func run(_ input: [UInt8]) throws {
        let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard let text = parts.first.flatMap({ String(validating: $0, as: UTF8.self) }) else { return }
        let dotEnv = parts.dropFirst().first.flatMap { String(validating: $0, as: UTF8.self) }
        let folder = try folder.get().path
        if let loaded = try load(.run, text, folder, dotEnv) {
            for warning in loaded.warnings { try requireOneLine(warning) }
            try checkShown(loaded.configuration)
        }
        if let loaded = try load(.serve, text, folder, dotEnv) {
            let shown = EffectiveConfiguration.render(loaded.configuration)
            guard !shown.contains(hidden) else { return }
            guard var again = try load(.serve, shown, "", nil)?.configuration else {
                throw FuzzFailure("what is shown does not load:\n\(shown)")
            }
            var first = loaded.configuration
            first.admin.isListenGiven = true
            again.admin.isListenGiven = true
            try require(again == first, "another configuration is shown:\n\(shown)")
        }
    }

    /// Secrets are not shown, so that such a configuration cannot load as the same.
    private static let hidden = "\"********\""

    private static func checkShown(_ configuration: BridgeConfiguration) throws {
        let shown = EffectiveConfiguration.render(configuration)
        guard let again = try load(.run, shown, "", nil)?.configuration else {
            throw FuzzFailure("what is shown does not load:\n\(shown)")
        }
        guard !shown.contains(hidden) else { return }
        var first = configuration
        first.admin.isListenGiven = true
        try require(again == first, "another configuration is shown:\n\(shown)\n\(again)\n\(first)")
    }

    private static func load<Configuration>(
        _ subject: ConfigurationLoader.Subject<Configuration>, _ text: String, _ folder: String, _ dotEnv: String?
    ) throws -> Loaded<Configuration>? {
        do throws(ConfigurationErrors) {
            return try ConfigurationLoader.load(subject, text: text, folder: folder, dotEnv: dotEnv)
        } catch {
            for line in error.all.map(\.description) {
                try requireOneLine(line)
            }
            return nil
        }
    }

    private static let folder = Result {
        try ScratchFolder(files: [
            "ca.pem": ScratchFolder.pem("CERTIFICATE"), "server.key": ScratchFolder.pem("PRIVATE KEY"),
            "password": "secret\n", "token": "0123456789abcdef0123456789abcdef\n", "users": "",
        ])
    }

    private static let texts = [
        "uplink: {host: a, ca: ca.pem}\n",
        "uplink:\n  endpoints: [{host: a, server_name: b}, \"[::1]:5\"]\n  ca: ca.pem\n  fallback: {port: 8884, after: 2s}\n",
        "uplink: {host: a, ca: ca.pem, on_loss: close, zero_rtt: connect, warm: 0, path_timeout: 2s}\n"
            + "routes: [{local: \"+/a b/#\", remote: \"${peer}/+/#\", direction: down, max_qos: 1, retain: strip}]\n",
        "uplink: {host: a, ca: ca.pem, mapping: data-stream, identity: {client_id: \"a: b\", keep_alive: 90s}}\n"
            + "auth: {mode: local, users_file: users}\nunrouted: drop\nthreads: 2\n",
        "uplink: {host: a, ca: ca.pem, mapping: mux, devices_per_connection: 7, reconnects_per_second: 8}\n"
            + "listen: [{address: \"127.0.0.1:0\", name: \"a: \\\"b\\\" c\\u00e9\"}]\n"
            + "limits: {packet_size: 12345, connect_within: 1500ms}\nlog: {level: debug, format: json}\n",
        "uplink: {host: a, ca: ca.pem}\nauth:\n  mode: inject\n  username: \"x\\u2028y\\\\z\"\n"
            + "  overrides: [{match: {client_id: c}, client_id: d}]\n",
        "profile: tesaiot\nuplink: {ca: ca.pem}\nadmin: {listen: \"127.0.0.1:0\", token_file: token, host_names: [a]}\n",
        "serve: {listen: [\"[::]:1\"], certificate: ca.pem, key: server.key, broker_host: a, retry: auto}\n",
        "# empty\n\u{0}MQTT_HOST=a\nMQTT_PORT=14567 # comment\nMQTT_CA_FILE='ca.pem'\nexport MQTT_USERNAME=\"u\\\"\"\n",
        "uplink: {ca: ca.pem}\n\u{0}BRIDGE_UPLINK_HOST=b\nBRIDGE_LISTEN=1.2.3.4:5\n",
        "\"a\\nb\\e\\r\\n\": 1\nroutes: [{\"x\\r\\ny\": 1}]\n",
    ]
}

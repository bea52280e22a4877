import BridgeConfig
import BridgeCore
import BrokerProbe

/// What to put into bridge.yaml for a broker that was probed. It is a whole configuration that `run` accepts, with
/// comments that say why.
struct ConfigurationAdvice {
    let options: ProbeOptions
    let report: ProbeReport

    /// A handshake that takes this long, in milliseconds, needs more than the default `connect_timeout` of 5 s to be
    /// repeated after a loss.
    private static let slowHandshake = 1_000.0
    /// The least `connect_timeout` for a slow handshake, and the most that there is, in seconds.
    private static let slowTimeouts = 5...60

    /// `nil` if the handshake did not work: nothing that is known then would work.
    var yaml: String? {
        guard let handshake = report.handshake else { return nil }
        var lines = [
            "# For bridge.yaml. `mqtt-quic-bridge check --connect` tries it.", "listen: [\"127.0.0.1:1883\"]",
            "uplink:", "  host: \(YAMLText.scalar(options.host))", "  port: \(options.port)",
        ]
        if let name = options.serverName { lines.append("  server_name: \(YAMLText.scalar(name))") }
        lines.append("  ca: \(YAMLText.scalar(options.caFile))")
        if let certificate = options.clientCertificateFile, let key = options.clientKeyFile {
            lines.append("  client_certificate: \(YAMLText.scalar(certificate))")
            lines.append("  client_key: \(YAMLText.scalar(key))")
        }
        lines += mapping(handshake)
        if handshake.milliseconds > Self.slowHandshake {
            let seconds = Int((handshake.milliseconds / 1_000 * 4).rounded(.up))
            let timeout = min(max(seconds + 1, Self.slowTimeouts.lowerBound), Self.slowTimeouts.upperBound)
            lines.append("  # The handshake took \(Words.milliseconds(handshake.milliseconds)).")
            lines.append("  connect_timeout: \(timeout)s")
        }
        lines += fallback
        return (lines + identity).joined(separator: "\n") + "\n"
    }

    private func mapping(_ handshake: HandshakeFinding) -> [String] {
        switch report.streams?.use {
        case .mux?:
            return ["  # The other end is `serve`: devices share connections.", "  mapping: mux"]
        case .dataStreams?:
            return [
                "  # Each device is itself to the broker. It also has data streams, by which devices can share connections",
                "  # under one identity of the gateway: see \"mapping: data-stream\" in bridge.yaml.example.",
                "  mapping: connection",
            ]
        case .single?, .unknown?, nil:
            let known = ["mqtt", "mqtt-mux"].contains(handshake.alpn)
            return ["  mapping: connection"] + (known ? [] : ["  alpn: [\(YAMLText.scalar(handshake.alpn))]"])
        }
    }

    private var fallback: [String] {
        guard let fallback = report.fallback else { return [] }
        guard fallback.milliseconds != nil else {
            return [
                "  # There is no MQTT over TLS at TCP port \(fallback.port), so there is no fallback where UDP is blocked."
            ]
        }
        return ["  # For networks that block UDP.", "  fallback: {port: \(fallback.port)}"]
    }

    private var identity: [String] {
        guard let session = report.session else { return [] }
        let words =
            if session.isAccepted {
                options.identity.username == nil
                    ? "The broker accepted a client without user name and password."
                    : "The broker accepted the user name and password of the probe."
            } else {
                "The broker did not accept the probe as a client: \(session.codeInWords ?? "no CONNACK")."
            }
        return [
            "auth:", "  # \(words.printable) With passthrough, each device shows its own.",
            "  mode: passthrough",
        ]
    }
}

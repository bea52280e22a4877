@testable import BridgeConfig

/// Bundles for tests.
enum Bundles {
    /// `mqtt-quic-config.json` as the platform makes it.
    static func configuration(
        host: String = "mqtt.tesaiot.com", port: Int = 14567, username: String = "sensor-1",
        password: String = "p#a%s$s!"
    ) -> String {
        """
        {
          "protocol": "mqtts",
          "host": "\(host)",
          "port": \(port),
          "transport": "quic",
          "tls": {"enabled": true, "version": "1.3", "ca_file": "ca-chain.pem", "verify_server": true,
                  "verify_mode": "server-only"},
          "auth": {"method": "username_password", "username": "\(username)", "password": "\(password)"},
          "endpoint": "mqtts://\(host):\(port)",
          "connection": {"keepalive": 60, "clean_session": true, "connect_timeout": 10}
        }
        """
    }

    static func contents(_ files: [BundleFile: String], others: Set<String> = []) -> BundleContents {
        BundleContents(place: "sensor-1", files: files.mapValues { Array($0.utf8) }, otherNames: others)
    }

    static let authorities = TemporaryFolder.certificate + "\n" + TemporaryFolder.certificate
}

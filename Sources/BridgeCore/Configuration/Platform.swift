/// A broker whose rules the bridge knows beforehand: the key `profile`.
package enum Platform: String, Sendable, CaseIterable {
    case tesaiot
}

/// What is known of the platform TESAIoT. A value that the configuration gives itself wins over each of these.
package enum TESAIoT {
    package static let host = "mqtt.tesaiot.com"
    /// UDP, MQTT over QUIC.
    package static let port = 14_567
    /// TCP, MQTT over TLS for devices that have a password.
    package static let fallbackPort = 8_884
    /// TCP, MQTT over TLS for devices that show a client certificate.
    package static let fallbackPortForCertificates = 8_883
    /// Where the CA chain of a downloaded bundle is expected.
    package static let caFile = "credential_certificates/ca-chain.pem"

    /// The longest packet that the broker accepts, in bytes.
    package static let packetSize = 10_000_000
    /// How long the broker remembers the session of a device that is gone.
    package static let sessionExpiry = Duration.seconds(7_200)

    /// The topics that devices publish to.
    package static let publishedKinds = ["telemetry", "status", "events", "metrics"]
    /// The topics that devices subscribe to.
    package static let subscribedKinds = ["commands", "config", "firmware"]

    /// The user name is the device id there, so each device gets its own topics.
    package static let routes: [Route] =
        publishedKinds.map { Route(local: "\($0)/#", remote: "device/${username}/\($0)/#", direction: .up) }
        + subscribedKinds.map { Route(local: "\($0)/#", remote: "device/${username}/\($0)/#", direction: .down) }
}

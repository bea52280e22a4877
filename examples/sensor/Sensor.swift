import Foundation
import MQTTQUICClient

/// A sensor that publishes a reading every few seconds, and keeps at it over lost connections.
///
/// It is configured by environment variables, under the names that TESAIoT uses: `MQTT_HOST`, `MQTT_PORT` (14567),
/// `MQTT_CA_CERT` (a PEM file; without it, what the system trusts), `MQTT_USERNAME` (also the client and device
/// identifier) and `MQTT_PASSWORD`. `SENSOR_COUNT` ends it after so many readings, and `SENSOR_INTERVAL` is
/// the time between two of them in seconds (5).
@main
struct Sensor {
    struct Reading: Encodable {
        let number: Int
        let celsius: Double
    }

    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let host = environment["MQTT_HOST"], let device = environment["MQTT_USERNAME"] else {
            say("Set MQTT_HOST and MQTT_USERNAME, which is the device's identifier.")
            exit(64)
        }
        var configuration = MQTTClientConfiguration(
            host: host, port: number("MQTT_PORT", in: 1...65_535) ?? 14567, clientID: device)
        configuration.credentials = .init(username: device, password: environment["MQTT_PASSWORD"] ?? "")
        if let file = environment["MQTT_CA_CERT"] { configuration.tls.trust = .file(file) }
        // The broker keeps the session for two hours, so that nothing is lost or doubled when a connection is lost.
        configuration.sessionExpiry = .seconds(7200)
        configuration.will = MQTTWill(
            MQTTMessage(topic: "device/\(device)/status", text: #"{"online":false}"#, qos: .atLeastOnce))
        do {
            try await run(
                configuration, device, count: number("SENSOR_COUNT", in: 1...1_000_000_000) ?? .max,
                interval: .seconds(number("SENSOR_INTERVAL", in: 0.0...86_400) ?? 5))
        } catch let error as MQTTClientError {
            // The description says what happened and what to do.
            say("sensor: \(error)")
            exit(1)
        }
    }

    private static func run(
        _ configuration: MQTTClientConfiguration, _ device: String, count: Int, interval: Duration
    ) async throws {
        try await MQTTClient.withClient(configuration) { client in
            try await client.publish(
                MQTTMessage(topic: "device/\(device)/status", text: #"{"online":true}"#, qos: .atLeastOnce))
            for number in 1...count {
                let reading = Reading(number: number, celsius: 20 + Double.random(in: -1...1))
                let text = String(decoding: try JSONEncoder().encode(reading), as: UTF8.self)
                // This returns when the broker has the message. While the connection is lost, it waits.
                try await client.publish(
                    MQTTMessage(topic: "device/\(device)/telemetry", text: text, qos: .atLeastOnce))
                say("published \(text)")
                if number < count { try await Task.sleep(for: interval) }
            }
        }
    }
}

/// A number from the environment; `nil` if the variable is not set. What cannot be used ends the program with a
/// sentence.
func number<Number: LosslessStringConvertible & Comparable>(_ name: String, in range: ClosedRange<Number>) -> Number? {
    guard let text = ProcessInfo.processInfo.environment[name] else { return nil }
    guard let number = Number(text), range.contains(number) else {
        say("\(name) is \"\(text)\": set it to a number from \(range.lowerBound) to \(range.upperBound).")
        exit(64)
    }
    return number
}

/// Writes a line at once, also into a pipe.
func say(_ line: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

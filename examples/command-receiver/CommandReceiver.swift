import Foundation
import MQTTQUICClient

/// A device that carries out commands, one after another, and reports each.
///
/// It is configured by environment variables, under the names that TESAIoT uses: `MQTT_HOST`, `MQTT_PORT` (14567),
/// `MQTT_CA_CERT` (a PEM file; without it, what the system trusts), `MQTT_USERNAME` (also the client and device
/// identifier) and `MQTT_PASSWORD`. `RECEIVER_COUNT` ends it after so many commands.
@main
struct CommandReceiver {
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
        // Commands that come while this program is not running wait at the broker for two hours.
        configuration.cleanStart = false
        configuration.sessionExpiry = .seconds(7200)
        do {
            let client = MQTTClient(configuration)
            try await run(client, device, count: number("RECEIVER_COUNT", in: 1...1_000_000_000) ?? .max)
        } catch let error as MQTTClientError {
            // The description says what happened and what to do.
            say("command-receiver: \(error)")
            exit(1)
        }
    }

    private static func run(_ client: MQTTClient, _ device: String, count: Int) async throws {
        // The commands that waited come before this program can subscribe.
        let waiting = client.unclaimedMessages()
        let watching = Task {
            for await event in client.events { say("connection: \(event)") }
        }
        defer { watching.cancel() }
        let answer = try await client.connect()
        let commands = try await client.subscribe(
            to: [MQTTSubscription("device/\(device)/commands/#", qos: .exactlyOnce)])
        say("ready")
        let sources = answer.isSessionPresent ? [waiting, commands] : [commands]
        try await withThrowingTaskGroup(of: Void.self) { group in
            let left = Countdown(count)
            for source in sources {
                group.addTask {
                    // A command is acknowledged when this loop takes it.
                    for try await command in source {
                        say("command \(command.topic): \(command.text)")
                        try await client.publish(
                            MQTTMessage(topic: "device/\(device)/status", text: command.text, qos: .atLeastOnce))
                        if await left.isLast() { return }
                    }
                }
            }
            _ = try await group.next()
            group.cancelAll()
        }
        await client.disconnect()
        // Letting go of the sequence before that would unsubscribe, and commands would not wait for the next start.
        withExtendedLifetime(commands) {}
    }
}

/// Counts the commands that are still to come.
actor Countdown {
    private var left: Int

    init(_ count: Int) { left = count }

    func isLast() -> Bool {
        left -= 1
        return left <= 0
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

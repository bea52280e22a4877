import Testing

// What tests of held devices need from a scenario.

/// The kind of device that a test case runs with.
struct DeviceKind: Sendable, CustomTestStringConvertible {
    let version: String
    /// Clean Session or Clean Start.
    let isClean: Bool

    static let all = [
        DeviceKind(version: "3.1.1", isClean: true), DeviceKind(version: "3.1.1", isClean: false),
        DeviceKind(version: "5.0", isClean: true), DeviceKind(version: "5.0", isClean: false),
    ]

    var testDescription: String { "\(version), \(isClean ? "clean" : "persistent")" }

    func fields(keepAlive: Int = 60) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "version": .string(version), "clean": .bool(isClean), "keep_alive": .int(keepAlive),
        ]
        if version == "5.0" && !isClean { fields["properties"] = ["SessionExpiryInterval": 300] }
        return fields
    }

    /// Whether the broker keeps the session while the device's connection to it is lost. With 3.1.1 it does so only if
    /// the device asked for it, and over a data stream never.
    var outlivesItsConnection: Bool {
        TestMapping.current != .dataStream && (version == "5.0" || !isClean)
    }
}

extension Scenario {
    /// Waits until the bridge has logged this many times that it holds a device.
    func holds(_ count: Int = 1) async throws {
        try await bridgeSays("session held", times: count)
    }

    /// Waits until the bridge has logged this many times that a held device is connected again over a new leg.
    func reconnects(_ count: Int = 1) async throws {
        try await bridgeSays("session resumed on a new uplink leg", times: count)
    }

    /// Waits until the far end has given up this many connections.
    func isForgotten(_ count: Int = 1) async throws {
        if let front = farEnd.front {
            try await front.says("closed", times: count)
        } else {
            try await serve.hasEndedConnections(count)
        }
    }
}

extension PahoClient {
    /// The messages up to and including the one on this topic, by topic.
    func messages(until topic: String) async throws -> [String: [String]] {
        var texts: [String: [String]] = [:]
        while true {
            let message = try await message()
            guard message.topic != topic else { return texts }
            texts[message.topic ?? "", default: []].append(message.text ?? "")
        }
    }

    /// Whether the client's connection has ended at any time.
    var wasDisconnected: Bool {
        get async { await log.all.contains { $0.event == "disconnected" } }
    }

    /// Waits until all of these messages have been acknowledged.
    func acknowledged(_ sent: [PahoEvent]) async throws {
        for event in sent {
            _ = try await log.take("the acknowledgement of message \(event.id ?? 0)") {
                $0.event == "published" && $0.id == event.id
            }
        }
    }
}

extension [String] {
    /// The elements without repetitions.
    var firsts: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}

import Foundation

/// A process of Tests/Support/load_client.py, which runs thousands of small clients.
struct LoadClient: Sendable {
    let process: ChildProcess
    let events: EventLog<LoadEvent>

    static func start() async throws -> LoadClient {
        let events = EventLog<LoadEvent>()
        let process = try await ChildProcess.start(
            "load_client.py", Toolbox.python, [Toolbox.support("load_client.py")]
        ) { line in
            guard let line else { return await events.finish("load_client.py has ended") }
            if let event = try? JSONDecoder().decode(LoadEvent.self, from: Data(line.utf8)) {
                await events.append(event)
            }
        }
        return LoadClient(process: process, events: events)
    }

    /// Sends a command and waits for the answer, which comes within the time given to the command.
    @discardableResult
    func perform(
        _ command: String, answer: String, _ fields: [String: JSONValue] = [:], within seconds: Int = 60
    ) async throws -> LoadEvent {
        let asked = await events.count
        try send(command, fields, within: seconds)
        return try await events.first(
            "\(answer) of load_client.py", from: asked, within: .seconds(seconds) + EventLog<LoadEvent>.patience
        ) { $0.event == answer }
    }

    /// Sends a command without waiting for the answer.
    func send(_ command: String, _ fields: [String: JSONValue] = [:], within seconds: Int = 60) throws {
        var all = fields
        all["command"] = .string(command)
        all["timeout"] = .int(seconds)
        try process.send(String(decoding: try JSONEncoder().encode(all), as: UTF8.self))
    }

    /// Connects `count` clients, and throws unless all of them are accepted.
    func connect(_ count: Int, port: Int, _ fields: [String: JSONValue] = [:], within seconds: Int = 60) async throws {
        var all = fields
        all["count"] = .int(count)
        all["port"] = .int(port)
        let event = try await perform("connect", answer: "connected", all, within: seconds)
        guard event.count == count else {
            throw HarnessError(
                "only \(event.count ?? 0) of \(count) clients were accepted; \(event.refused ?? 0) were refused")
        }
    }

    /// Measures round trips of the first clients, one at a time.
    func roundTrips(samples: Int, clients: Int = 10) async throws -> RoundTrips {
        let event = try await perform(
            "round_trips", answer: "round_trips", ["samples": .int(samples), "clients": .int(clients)])
        guard event.count == samples, let acknowledgement = event.acknowledgement, let delivery = event.delivery else {
            throw HarnessError("\(event.count ?? 0) of \(samples) round trips")
        }
        return RoundTrips(acknowledgement: Double(acknowledgement), delivery: Double(delivery))
    }

    /// Makes each client send itself a numbered message with QoS 1 every `interval` milliseconds.
    func startTraffic(every interval: Int = 1_000) async throws {
        try await perform("start_traffic", answer: "traffic_started", ["interval": .int(interval)])
    }

    /// Stops the traffic, and waits until all messages have been acknowledged and have come back.
    func stopTraffic(within seconds: Int = 60) async throws -> LoadEvent {
        try await perform("stop_traffic", answer: "traffic", within: seconds)
    }

    /// The number of clients that have lost their TCP connection so far.
    var ended: Int {
        get async { await events.all.count { $0.event == "ended" } }
    }

    /// Waits until `count` clients have lost their connections, and returns those events.
    func ends(_ count: Int) async throws -> [LoadEvent] {
        var ends: [LoadEvent] = []
        for number in 1...count {
            ends.append(try await events.take("end \(number) of \(count)") { $0.event == "ended" })
        }
        return ends
    }
}

/// Median round-trip times in microseconds.
struct RoundTrips: Sendable, CustomStringConvertible {
    /// The time from PUBLISH to PUBACK.
    let acknowledgement: Double
    /// The time from PUBLISH to the return of the message.
    let delivery: Double

    var description: String { "PUBACK \(Int(acknowledgement)) us, delivery \(Int(delivery)) us" }
}

/// A JSON line that load_client.py writes.
struct LoadEvent: Sendable, Decodable {
    let event: String
    let client: String?
    let code: Int?
    let count: Int?
    let refused: Int?
    let lost: Int?
    let wrong: Int?
    let acknowledgement: Int?
    let delivery: Int?
    let sent: Int?
    let acknowledged: Int?
    let missing: Int?
    let duplicates: Int?
    let disordered: Int?
    /// The longest gap in milliseconds.
    let gap: Int?
}

import Foundation

/// A scenario of Tests/Support/serve_client.py, whose clients use another QUIC stack than this project.
struct StackClient: Sendable {
    let process: ChildProcess
    let events: EventLog<StackEvent>

    /// Starts a scenario against the server at this UDP port of 127.0.0.1.
    static func start(
        _ scenario: String, port: Int, _ arguments: [String] = [], ca: String = "ca"
    ) async throws -> StackClient {
        let certificates = try await Certificates.make()
        let given = [
            Toolbox.support("serve_client.py"), scenario, "--server", "127.0.0.1:\(port)",
            "--ca", certificates.certificate(ca),
        ]
        let events = EventLog<StackEvent>()
        let process = try await ChildProcess.start("serve_client.py \(scenario)", Toolbox.python, given + arguments) {
            line in
            guard let line else {
                return await events.finish("the scenario \(scenario) has ended")
            }
            if let event = try? JSONDecoder().decode(StackEvent.self, from: Data(line.utf8)) {
                await events.append(event)
            }
        }
        return StackClient(process: process, events: events)
    }

    /// Waits for the scenario's own verdict, and returns all events that it reported. Throws if it failed.
    @discardableResult
    func passed(within patience: Duration = .seconds(120)) async throws -> [StackEvent] {
        guard try await process.end(within: patience) == .exit(0) else {
            let said = await process.output.all + process.errors.all
            throw HarnessError("\(process.name) failed", said.joined(separator: "\n"))
        }
        // The process may be known to have ended before its last line has been read.
        _ = try await events.first("the last word of \(process.name)") { $0.event == "done" }
        return await events.all
    }

    /// Waits until the scenario reports such an event.
    @discardableResult
    func reports(
        _ event: String, from start: Int = 0, where predicate: @escaping @Sendable (StackEvent) -> Bool = { _ in true }
    ) async throws -> StackEvent {
        try await events.first("\(event) of \(process.name)", from: start) { $0.event == event && predicate($0) }
    }
}

/// A JSON line that serve_client.py writes.
struct StackEvent: Sendable, Decodable {
    let event: String
    let message: String?
    let alpn: String?
    let retry: Bool?
    let resumed: Bool?
    let earlyData: Bool?
    /// The SHA-256 of the server's certificate; `nil` if the session was resumed.
    let certificate: String?
    let number: Int?
    let count: Int?
    let fin: Bool?
    let reset: Int?
    let code: Int?
    let application: Bool?
    let by: String?
    /// The reason codes of DISCONNECT, one per stream.
    let disconnects: [Int]?
    let fins: Int?
    let resets: [Int]?
    /// How many bytes came back per byte sent.
    let amplification: Double?

    private enum CodingKeys: String, CodingKey {
        case event, message, alpn, retry, resumed, certificate, number, count, fin, reset, code, application, by
        case disconnects, fins, resets, amplification
        case earlyData = "early_data"
    }
}

import Foundation

/// A process of Tests/Support/paho_driver.py, which runs any number of paho clients.
struct PahoDriver: Sendable {
    let process: ChildProcess
    private let logs: Logs

    static func start() async throws -> PahoDriver {
        let logs = Logs()
        let process = try await ChildProcess.start(
            "paho_driver.py", Toolbox.python, [Toolbox.support("paho_driver.py")]
        ) { line in
            guard let line else {
                return await logs.finish()
            }
            if let event = try? JSONDecoder().decode(PahoEvent.self, from: Data(line.utf8)) {
                await logs.log(of: event.client).append(event)
            }
        }
        return PahoDriver(process: process, logs: logs)
    }

    func log(of client: String) async -> EventLog<PahoEvent> {
        await logs.log(of: client)
    }

    func send(_ command: String, to client: String, _ fields: [String: JSONValue]) throws {
        var all = fields
        all["command"] = .string(command)
        all["client"] = .string(client)
        try process.send(String(decoding: JSONEncoder().encode(all), as: UTF8.self))
    }

    /// The events of each client.
    private actor Logs {
        private var logs: [String: EventLog<PahoEvent>] = [:]

        func log(of client: String) -> EventLog<PahoEvent> {
            if let log = logs[client] {
                return log
            }
            let log = EventLog<PahoEvent>()
            logs[client] = log
            return log
        }

        func finish() async {
            for log in logs.values {
                await log.finish("paho_driver.py has ended")
            }
        }
    }
}

/// A JSON line that paho_driver.py writes. Codes are those of MQTT 5 in all versions.
struct PahoEvent: Sendable, Decodable {
    let event: String
    let client: String
    let code: Int?
    let codes: [Int]?
    let reason: String?
    let sessionPresent: Bool?
    let fromServer: Bool?
    let properties: [String: JSONValue]?
    let id: Int?
    let topic: String?
    let qos: Int?
    let retain: Bool?
    let size: Int?
    let sha256: String?
    let text: String?
    let error: String?
    let message: String?

    private enum CodingKeys: String, CodingKey {
        case event, client, code, codes, reason, properties, id, topic, qos, retain, size, sha256, text, error, message
        case sessionPresent = "session_present"
        case fromServer = "from_server"
    }
}

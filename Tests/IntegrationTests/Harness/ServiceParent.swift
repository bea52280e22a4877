import Foundation

/// A process of Tests/Support/service_parent.py, which starts the program under test as systemd would.
struct ServiceParent: Sendable {
    /// The ports of the sockets that are passed to the program.
    let ports: [Int]
    let process: ChildProcess
    let events: EventLog<Event>

    struct Event: Codable, Sendable {
        var event: String
        var ports: [Int]?
        var pid: Int32?
        var text: String?
        var code: Int32?
    }

    static func start(_ options: [String]) async throws -> ServiceParent {
        let events = EventLog<Event>()
        let process = try await ChildProcess.start(
            "service_parent.py", Toolbox.python, [Toolbox.support("service_parent.py")] + options
        ) { line in
            guard let line else { return await events.finish("service_parent.py has ended") }
            if let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) { await events.append(event) }
        }
        let sockets = try await events.first("the sockets") { $0.event == "sockets" }
        return ServiceParent(ports: sockets.ports ?? [], process: process, events: events)
    }

    /// Starts the program, and returns its process id.
    @discardableResult
    func start(_ arguments: String...) async throws -> Int32 {
        let count = await events.count
        let quoted = ([try Toolbox.bridge()] + arguments).map { "'\($0)'" }.joined(separator: " ")
        try process.send("start \(quoted)")
        return try await events.first("the start", from: count) { $0.event == "started" }.pid ?? 0
    }

    /// Waits for a message to the service manager that contains all of these lines.
    @discardableResult
    func notice(_ lines: String..., from start: Int = 0) async throws -> Event {
        try await events.first("the message \(lines)", from: start) { event in
            let parts = (event.text ?? "").split(separator: "\n")
            return event.event == "notice" && lines.allSatisfy { line in parts.contains { $0.hasPrefix(line) } }
        }
    }

    /// Waits for a text on the program's terminal, and returns all of it.
    func terminal(_ text: String) async throws -> String {
        for _ in 0..<10_000 {
            let count = await events.count
            let all = await shown
            if all.contains(text) { return all }
            _ = try await events.first("\(text) on the terminal, after: \(all)", from: count) { _ in true }
        }
        throw HarnessError("the terminal shows too much: \(await shown)")
    }

    private var shown: String {
        get async {
            await events.all.filter { $0.event == "terminal" }.compactMap(\.text).joined()
                .replacing("\r\n", with: "\n")
        }
    }

    func ended(from start: Int = 0) async throws -> Int32? {
        try await events.first("the end of the program", from: start) { $0.event == "ended" }.code
    }
}

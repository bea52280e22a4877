import Foundation

/// One run of serve_client.py: a client of a QUIC stack that is not ours.
enum ServeClient {
    struct Event: Decodable, Sendable {
        let event: String
        let retry: Bool?
        let resumed: Bool?
        let earlyData: Bool?
        let count: Int?
        let amplification: Double?

        enum CodingKeys: String, CodingKey {
            case event, retry, resumed, count, amplification
            case earlyData = "early_data"
        }
    }

    /// Runs the scenario to its end, or until `stop` ends, and throws where the server did not do what it expects.
    @discardableResult
    static func run(
        _ scenario: ServeScenario, arguments: [String], until stop: AsyncStream<Void>? = nil
    ) async throws -> [Event] {
        let certificates = try await Certificates.make()
        let process = try await ChildProcess.start(
            "serve_client.py", Toolbox.python,
            [Toolbox.support("serve_client.py")] + arguments + [
                "--server", "127.0.0.1:\(scenario.serve.port)", "--ca", certificates.certificate("ca"),
            ])
        await scenario.own(process)
        if let stop {
            for await _ in stop {}
            try process.endInput()
        }
        let end = try await process.end(within: .seconds(120))
        // Output ends after the process does.
        _ = try? await process.output.first("the end of output") { _ in false }
        guard end == .exit(0) else { throw HarnessError("\(arguments): \(end)") }
        return await process.output.all.compactMap { line in
            // What one event has for a count another may have for something else: only what fits is taken.
            try? JSONDecoder().decode(Event.self, from: Data(line.utf8))
        }
    }
}

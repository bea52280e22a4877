import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What `mqtt-quic-bridge status` shows.
package struct StatusSnapshot: Sendable, Equatable {
    /// The state of the whole program.
    package var status: StatusReport
    /// The last five seconds; `nil` if the program has just started.
    package var sample: HistorySample?
    /// What went wrong lately, the newest first.
    package var troubles: [Trouble]
    /// All of it as the endpoint wrote it, in one object.
    package var json: String

    package init(status: StatusReport, sample: HistorySample?, troubles: [Trouble], json: String) {
        self.status = status
        self.sample = sample
        self.troubles = troubles
        self.json = json
    }
}

extension AdminClient {
    private struct History: Decodable {
        let samples: [HistorySample]
    }

    private struct Troubles: Decodable {
        let troubles: [Trouble]
    }

    private struct Problem: Decodable {
        let error: String
    }

    /// Asks for the state of the program, its last rates, and what went wrong.
    package func snapshot() async throws(AdminClientError) -> StatusSnapshot {
        let status = try await text(of: "/api/status")
        let history = try await text(of: "/api/history")
        let troubles = try await text(of: "/api/troubles")
        let sample = try decode(History.self, history).samples.last
        return StatusSnapshot(
            status: try decode(StatusReport.self, status), sample: sample,
            troubles: try decode(Troubles.self, troubles).troubles,
            json: #"{"status":\#(status),"history":\#(history),"troubles":\#(troubles)}"#)
    }

    private func text(of path: String) async throws(AdminClientError) -> String {
        let answer = try await send("GET", path)
        switch answer.status {
        case 200:
            return answer.body
        case 401:
            throw AdminClientError("\(url) asks for a token, and this is not it: name its file with --token-file")
        default:
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body.utf8)).error
            throw AdminClientError(
                "\(url) answers \(answer.status): \(problem ?? "is it the admin endpoint of this program?")")
        }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws(AdminClientError) -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { keys in SwiftName(snake: keys.last?.stringValue ?? "") }
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            throw AdminClientError("\(url) answers something else: is it the admin endpoint of this program?")
        }
    }
}

/// A name in `snake_case` as Swift has it; `client_id` is `clientID` there.
private struct SwiftName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(snake: String) {
        let parts = snake.split(separator: "_")
        let rest = parts.dropFirst().map { $0 == "id" ? "ID" : $0.prefix(1).uppercased() + $0.dropFirst() }
        stringValue = (parts.first.map(String.init) ?? "") + rest.joined()
    }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

// What tests of the mapping `data-stream` need from a scenario.
extension Scenario {
    /// The client identifiers of the gateway sessions that have begun so far, in order.
    var gatewaySessions: [String] {
        get async throws {
            try await front.reported().filter { $0.event == "packet" && $0.type == "CONNECT" }.compactMap(\.clientID)
        }
    }

    /// Waits for a line in the bridge's log that contains all of these words.
    @discardableResult
    func bridgeLogs(_ words: String..., from start: Int = 0) async throws -> String {
        try await bridge.process.errors.first("'\(words.joined(separator: "', '"))' in the bridge's log", from: start) {
            line in words.allSatisfy { line.contains($0) }
        }
    }

    /// The lines in the bridge's log so far that contain this word.
    func linesOfBridge(_ word: String) async -> [String] {
        await bridge.process.errors.all.filter { $0.contains(word) }
    }

    /// Waits for the next packet of this type on a data stream, and returns its connection and stream.
    func dataStream(
        of type: String, from start: Int = 0, sender: String = "client"
    ) async throws -> (connection: Int, stream: Int) {
        let event = try await front.events.first("\(type) on a data stream", from: start) {
            $0.event == "packet" && $0.type == type && $0.sender == sender && $0.stream ?? 0 > 0
        }
        guard let connection = event.connection, let stream = event.stream else {
            throw HarnessError("an event without a stream")
        }
        return (connection, stream)
    }
}

import Foundation
import Testing

/// `serve` and a client of a QUIC stack that is not ours (aioquic).
@Suite(.timeLimit(.minutes(20)))
struct ServeInteroperabilityTests {
    private static func run(_ lines: [String] = [], _ arguments: String...) async throws -> [ServeClient.Event] {
        var options = ServeScenario.Options()
        options.serve = lines
        let events = EventLog<ServeClient.Event>()
        try await ServeScenario.run(options) { scenario in
            for line in arguments {
                let words = line.split(separator: " ").map { String($0) }
                for event in try await ServeClient.run(scenario, arguments: words) { await events.append(event) }
            }
        }
        return await events.all
    }

    @Test(arguments: ["disconnect", "disconnect-no-fin", "fin", "reset", "close", "vanish"])
    func aSingleSession(end: String) async throws {
        _ = try await Self.run([], "single --end \(end)")
    }

    @Test func aSecondStreamIsRefused() async throws {
        _ = try await Self.run([], "second-stream")
    }

    @Test func manySessions() async throws {
        _ = try await Self.run([], "mux --streams 100 --messages 3")
    }

    @Test func aRetryIsAskedForAndTaken() async throws {
        _ = try await Self.run(["retry: always"], "retry --expect yes")
        _ = try await Self.run(["retry: never"], "retry --expect no")
    }

    @Test func earlyDataIsTaken() async throws {
        let events = try await Self.run([], "resume --expect accepted")
        #expect(events.contains { $0.resumed == true && $0.earlyData == true })
    }

    @Test func earlyDataCanBeTurnedOff() async throws {
        let events = try await Self.run(["early_data: false"], "resume --expect rejected")
        #expect(events.contains { $0.resumed == true && $0.earlyData == false })
    }

    @Test func aReplayedFirstFlightRunsNothing() async throws {
        let events = try await Self.run([], "replay")
        #expect(events.contains { $0.event == "runs" && $0.count == 1 })
    }

    @Test func addressChangesAreFollowed() async throws {
        _ = try await Self.run([], "migrate --count 4")
    }

    @Test func strangersAreAnswered() async throws {
        _ = try await Self.run([], "version", "unknown-cid")
    }

    /// More come than Retry is asked of: the honest client gets through, and strangers' addresses get less than was sent.
    @Test func aFloodCostsLittle() async throws {
        let events = try await Self.run(["retry_above: 50"], "flood --count 5000")
        #expect(events.contains { $0.event == "connected" && $0.retry == true })
        #expect(events.allSatisfy { ($0.amplification ?? 0) < 1 })
    }

    /// The ticket key is in a file: a client comes back to another process. What it sends early is not taken, because that
    /// process cannot know what was sent before.
    @Test func ticketsSurviveARestart() async throws {
        var options = ServeScenario.Options()
        let tickets = try Folder()
        defer { tickets.remove() }
        options.serve = ["ticket_key_file: \(tickets.path)/ticket.key"]
        for round in 0..<2 {
            try await ServeScenario.run(options) { scenario in
                let events = try await ServeClient.run(
                    scenario,
                    arguments: [
                        "resume", "--ticket", "\(tickets.path)/client.ticket", "--expect",
                        round == 0 ? "accepted" : "rejected",
                    ])
                if round == 1 { #expect(events.contains { $0.resumed == true && $0.earlyData == false }) }
            }
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(tickets.path)/ticket.key")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
}

import Foundation
import Testing

@testable import QUICTransport

/// SIGTERM to `serve`.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeShutdownTests {
    @Test func anIdleServerExitsWithSuccess() async throws {
        try await ServeScenario.run { scenario in
            scenario.serve.process.signal(SIGTERM)
            #expect(try await scenario.serve.process.end() == .exit(0))
            try await scenario.serve.logs("statistics")
        }
    }

    @Test(arguments: ["mqtt", "mqtt-mux"])
    func sessionsAreToldAndTheConnectionGoesAway(alpn: String) async throws {
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let client = try await scenario.client(.init(alpn: [alpn]))
            let (stream, connack) = try await client.session("client-1", level: 5, will: ("will/client-1", "gone"))
            scenario.serve.process.signal(SIGTERM)
            try await client.expect(.fin(stream))
            #expect(try await client.received(on: stream).dropFirst(connack.count) == [0xE0, 1, 0x8B])
            try await client.send([], on: stream, fin: true)
            #expect(try await client.closed() == .applicationClosed(code: 2, reason: "server shutting down"))
            #expect(try await observer.message().topic == "will/client-1")
            #expect(try await scenario.serve.process.end() == .exit(0))
            await client.stop()
        }
    }

    /// MQTT 3.1.1 cannot express the reason, so the code says that another attempt is worthwhile.
    @Test func aSessionOf3_1_1IsResetWithACode() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            let (stream, _) = try await client.session("client-1")
            scenario.serve.process.signal(SIGTERM)
            try await client.expect(.reset(stream, code: 2))
            #expect(try await client.closed() == .applicationClosed(code: 2, reason: "server shutting down"))
            #expect(try await scenario.serve.process.end() == .exit(0))
            await client.stop()
        }
    }

    @Test func newConnectionsAreRefused() async throws {
        var options = ServeScenario.Options()
        options.serve = ["shutdown_timeout: 300s"]
        try await ServeScenario.run(options) { scenario in
            // This client cannot be told, so the server waits for it.
            let gone = try await scenario.multiplexedClient()
            _ = try await gone.session("client-1")
            try await gone.vanish()
            scenario.serve.process.signal(SIGTERM)
            try await scenario.serve.logs("the server is shutting down")
            let late = try await QUICClient.start(port: scenario.serve.port)
            let error = try await late.closed()
            #expect(error == .connectionRefused(reason: ""))
            await late.stop()
        }
    }

    @Test func newStreamsAreRefused() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            _ = try await client.session("client-1")
            scenario.serve.process.signal(SIGTERM)
            try await scenario.serve.logs("the server is shutting down")
            // On a busy machine the connection may end before a stream is opened, or before the answer.
            guard let late = try? await client.openStream() else {
                #expect(try await client.closed() == .applicationClosed(code: 2, reason: "server shutting down"))
                return await client.stop()
            }
            try await client.send(RawMQTT.connect("late"), on: late)
            _ = try await client.events.first("a refusal") {
                switch $0 {
                case .reset(late, code: 2), .closed(.applicationClosed(code: 2, _)): true
                default: false
                }
            }
            #expect(try await client.received(on: late).isEmpty)
            await client.stop()
        }
    }

    /// Clients that are gone cannot be told, so the time limit ends the program.
    @Test func theLimitEndsAShutdownThatDoesNotFinish() async throws {
        var options = ServeScenario.Options()
        options.serve = ["shutdown_timeout: 1s"]
        try await ServeScenario.run(options) { scenario in
            let client = try await scenario.multiplexedClient()
            _ = try await client.session("client-1")
            try await client.vanish()
            scenario.serve.process.signal(SIGTERM)
            #expect(try await scenario.serve.process.end() == .exit(0))
        }
    }
}

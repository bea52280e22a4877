import Foundation
import Testing

/// A new configuration of `serve` while clients are connected.
@Suite(.timeLimit(.minutes(20)))
struct ServeReloadTests {
    @Test func newSessionsGoToTheNewBroker() async throws {
        try await ServeScenario.run { scenario in
            let second = try await Broker.start(in: scenario.folder)
            await scenario.own(second.process)
            let old = try await scenario.multiplexedClient()
            let (stream, _) = try await old.session("client-1")
            let line = try await scenario.serve.reload {
                $0.replacing("broker_port: \(scenario.broker.port)", with: "broker_port: \(second.port)")
            }
            #expect(line.contains("applied=1") && line.contains("needs_restart=0"), "\(line)")
            // On the same connection.
            _ = try await old.session("client-2")
            _ = try await second.process.errors.first("client-2 at the new broker") { $0.contains("client-2") }
            try await old.send(RawMQTT.pingreq, on: stream)
            #expect(try await old.received(6, on: stream).suffix(2) == [0xD0, 0])
            await old.stop()
        }
    }

    @Test func aLowerLimitDisconnectsNobody() async throws {
        try await ServeScenario.run { scenario in
            let first = try await scenario.client()
            let (stream, _) = try await first.session("client-1")
            let second = try await scenario.client()
            _ = try await second.session("client-2")
            try await scenario.serve.reload { $0.replacing("serve:\n", with: "serve:\n  connections: 1\n") }
            let third = try await QUICClient.start(port: scenario.serve.port)
            _ = try await third.closed()
            try await scenario.serve.logs("clients refused")
            try await first.send(RawMQTT.pingreq, on: stream)
            #expect(try await first.received(6, on: stream).suffix(2) == [0xD0, 0])
            try await scenario.serve.reload { $0.replacing("connections: 1\n", with: "connections: 10\n") }
            let fourth = try await scenario.client()
            _ = try await fourth.session("client-4")
            for client in [first, second, third, fourth] { await client.stop() }
        }
    }

    /// Sessions that stand keep their bounds, and those that come have the new ones.
    @Test func otherBuffersAreUsedByNewClients() async throws {
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("up")
            let old = try await scenario.client()
            let (stream, _) = try await old.session("client-1")
            let line = try await scenario.serve.reload {
                $0.replacing(
                    "serve:\n", with: "serve:\n  stream_buffer: 64KiB\n  early_data: false\n  idle_timeout: 90s\n")
            }
            #expect(line.contains("applied=3"), "\(line)")
            let new = try await scenario.client()
            let (other, _) = try await new.session("client-2")
            for (client, stream) in [(old, stream), (new, other)] {
                try await client.send(RawMQTT.publish("up", [UInt8](repeating: 0x78, count: 200_000)), on: stream)
                #expect(try await observer.message().size == 200_000)
            }
            for client in [old, new] { await client.stop() }
        }
    }

    @Test func whatNeedsARestartIsNamedAndABadFileChangesNothing() async throws {
        try await ServeScenario.run { scenario in
            let line = try await scenario.serve.reload { $0.replacing("threads: 1", with: "threads: 2") }
            #expect(line.contains("applied=0") && line.contains("needs_restart=1"))
            _ = try await scenario.serve.says(key: "threads", "a changed key needs a restart")
            let bad = try await scenario.serve.reload { $0.replacing("broker_host:", with: "broker_hots:") }
            #expect(bad.contains("the configuration was not reloaded"))
            try await scenario.serve.logs("broker_hots")
            let client = try await scenario.client()
            _ = try await client.session("client-1")
            await client.stop()
        }
    }
}

import Foundation
import Testing

@testable import mqtt_quic_bridge

/// `mqtt-quic-bridge bench` against `serve` with Mosquitto. It has no mapping, so one run is enough.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct BenchTests {
    private static func decode(_ text: String) throws -> BenchDocument {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(BenchDocument.self, from: Data(text.utf8))
    }

    @Test(arguments: ["0", "1", "2"])
    func everythingIsCounted(qos: String) async throws {
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("load/#")
            let runner = try await ToolRunner(scenario)
            let outcome = try await runner.run(
                .ours,
                [
                    "bench", "--devices", "5", "--rate", "4", "--duration", "2", "-q", qos, "--size", "100", "-t",
                    "load/%i/t", "--subscribers", "2", "-V", "5", "--json", "--quiet",
                ])
            #expect(outcome.end == .exit(0) && outcome.errors.isEmpty, "\(outcome)")
            let document = try Self.decode(outcome.text)
            #expect(document.ok && !document.interrupted && document.errors.isEmpty)
            #expect((document.devices, document.connected, document.subscribed) == (5, 5, 2))
            #expect((document.sent, document.published, document.received) == (40, 40, 80))
            #expect((document.missing, document.neverSent, document.unanswered, document.lost) == (0, 0, 0, 0))
            #expect((document.bytesSent, document.bytesReceived) == (4_000, 8_000))
            let latency = document.latencyMs
            #expect(latency.connect?.count == 7 && latency.publish?.count == 40 && latency.endToEnd?.count == 80)
            for row in [latency.connect, latency.publish, latency.endToEnd] {
                let row = try #require(row)
                #expect(row.p50 > 0 && row.p50 <= row.p95 && row.p95 <= row.p99 && row.p99 <= row.max)
            }
            // What an independent client has seen.
            var topics: [String: Int] = [:]
            for _ in 0..<40 { topics[try await observer.message().topic ?? "", default: 0] += 1 }
            #expect(topics == Dictionary(uniqueKeysWithValues: (1...5).map { ("load/\($0)/t", 8) }))
        }
    }

    /// Each device has its own user name and password.
    @Test func credentialsAreMadePerDevice() async throws {
        var options = ServeScenario.Options()
        options.broker.users = ["u1": "p1", "u2": "p2"]
        try await ServeScenario.run(options) { scenario in
            let runner = try await ToolRunner(scenario)
            let line = ["bench", "--rate", "5", "--duration", "1", "-u", "u%i", "-P", "p%i", "--json", "--quiet"]
            let both = try await runner.run(.ours, line + ["--devices", "2"])
            #expect(both.end == .exit(0), "\(both)")
            #expect(try Self.decode(both.text).connected == 2)

            let three = try await runner.run(.ours, line + ["--devices", "3"])
            #expect(three.end == .exit(3))
            let document = try Self.decode(three.text)
            #expect((document.connected, document.connectFailures, document.published) == (2, 1, 10))
            #expect(document.errors.map(\.count) == [1])
            #expect(document.errors.first?.error.hasPrefix("the broker refused the connection") == true)
        }
    }

    @Test func nobodyIsThere() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            // The certificate is for another name, so no device gets in.
            let outcome = try await runner.run(
                .ours, ["bench", "--devices", "2", "--server-name", "other.example", "--quiet"])
            #expect(outcome.end == .exit(69))
            #expect(outcome.text.contains("connected    0 of 2 devices\n"), "\(outcome.text)")
            #expect(outcome.text.contains("2 x the certificate of localhost is not trusted"), "\(outcome.text)")
        }
    }

    /// A subscriber that gets no answer keeps no other one waiting: each would take ten seconds.
    @Test func subscribersConnectSideBySide() async throws {
        let ca = try await Certificates.make().certificate("ca")
        try await UDPSink.run(isReading: true) { sink in
            let process = try await ChildProcess.start(
                "bench", Toolbox.bridge(),
                [
                    "bench", "-h", "127.0.0.1", "-p", "\(sink.port)", "--cafile", ca, "--devices", "1",
                    "--subscribers", "3", "--quiet",
                ])
            let ending = Task {
                let end = try await process.end()
                sink.finish()
                return end
            }
            var order: [[UInt8]] = []
            var isSideBySide = false
            for await datagram in sink.datagrams {
                // The connection id that a client has chosen for the server (RFC 9000 17.2).
                guard datagram.count > 5, datagram.count > 6 + Int(datagram[5]) else { continue }
                let id = Array(datagram[6..<6 + Int(datagram[5])])
                isSideBySide = order.count == 3 && id == order[0]
                if isSideBySide { break }
                if !order.contains(id) { order.append(id) }
            }
            #expect(isSideBySide, "\(order.count) connections")
            process.signal(SIGINT)
            #expect(try await ending.value == .exit(130))
        }
    }

    /// The messages that wait at a broker that stalls count from the time at which they were due, and those that were
    /// not sent meanwhile too.
    @Test func aStallIsInTheLatencies() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            let command = try runner.command(.ours, "bench")
            let process = try await ChildProcess.start(
                "bench", command[0],
                command.dropFirst() + [
                    "--devices", "2", "--rate", "20", "--duration", "15", "-M", "1", "--json", "--quiet", "-t",
                    "stall/%i",
                ])
            await scenario.own(process)
            let observer = try await scenario.observer("stall/#")
            _ = try await observer.message()
            scenario.broker.process.signal(SIGSTOP)
            try await Task.sleep(for: .seconds(3))
            scenario.broker.process.signal(SIGCONT)
            #expect(try await process.end() == .exit(0))
            _ = try? await process.output.first("the end of the output") { _ in false }
            let document = try Self.decode(await process.output.all.joined(separator: "\n"))
            #expect(document.published == 600 && document.heldUp > 0)
            // A fifth of all messages were due during the stall, two thirds of them more than a second before its end.
            let publish = try #require(document.latencyMs.publish)
            #expect(publish.count == 600 && publish.max > 1_800 && publish.p95 > 1_000, "\(publish)")
            // The program itself was not late.
            #expect(document.latencyMs.ownDelay?.p99 ?? .infinity < publish.p95)
        }
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func aSignalEndsItWithTheTable(_ signal: Int32, _ code: Int32) async throws {
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("signal/#")
            let runner = try await ToolRunner(scenario)
            let command = try runner.command(.ours, "bench")
            let process = try await ChildProcess.start(
                "bench", command[0],
                command.dropFirst() + ["--devices", "3", "--rate", "5", "--duration", "600", "-t", "signal/%i"])
            await scenario.own(process)
            for _ in 0..<10 { _ = try await observer.message() }
            process.signal(signal)
            #expect(try await process.end() == .exit(code))
            _ = try? await process.output.first("the end of the output") { _ in false }
            let text = await process.output.all.joined(separator: "\n")
            #expect(text.contains("connected    3 of 3 devices\n"), "\(text)")
            #expect(text.contains("A signal ended the run before its time."), "\(text)")
            #expect(!text.contains("never sent") && !text.contains("errors"), "\(text)")
            // The devices took their leave.
            for number in 1...3 {
                try await scenario.broker.logs("Received DISCONNECT from bench-\(process.identifier)-\(number)")
            }
        }
    }
}

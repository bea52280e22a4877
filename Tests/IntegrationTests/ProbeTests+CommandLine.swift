import BrokerProbe
import Foundation
import Synchronization
import Testing

/// What the command line says, and how a probe is interrupted.
extension ProbeTests {
    @Test(
        arguments: [
            (["probe", "127.0.0.1", "--cafile", "/nonexistent.pem"], Int32(78), "/nonexistent.pem"),
            (["probe", "127.0.0.1:0"], 64, "not a UDP port"), (["probe"], 64, "say which broker"),
            (["probe", "127.0.0.1", "--env-file", "/nonexistent.env"], 78, "/nonexistent.env"),
        ] as [([String], Int32, String)])
    func whatCannotBeDoneIsSaid(arguments: [String], code: Int32, words: String) async throws {
        let (end, said) = try await CheckTests.bridge(arguments)
        #expect(end == .exit(code) && said.contains(words), "\(said)")
    }

    @Test func theCredentialsOfAFileReachTheBroker() async throws {
        var broker = Broker.Options()
        broker.users = ["plc": "s3cret"]
        try await Self.run(broker: broker) { front, _ in
            let folder = try Folder()
            defer { folder.remove() }
            let file = try folder.write("env", "MQTT_HOST=127.0.0.1\nMQTT_USERNAME=plc\nMQTT_PASSWORD=s3cret\n")
            let ca = try await Certificates.make().certificate("ca")
            let (end, said) = try await CheckTests.bridge(
                ["probe", "127.0.0.1:\(front.port)", "--cafile", ca, "--env-file", file, "--gentle"])
            #expect(end == .exit(0) && !said.contains("s3cret"), "\(said)")
            let wrong = try await ProbeAnswer.probe("127.0.0.1:\(front.port)", ["--gentle", "-u", "plc", "-P", "no"])
            #expect(wrong.result.exitCode == 77)
        }
    }

    /// The broker is told, and does not have to wait for a timeout.
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func anInterruptedProbeSaysGoodbye(signal: Int32, code: Int32) async throws {
        // The rebind is not survived, so the probe waits for long.
        try await Self.run(.with { $0.followedRebinds = 0 }) { front, _ in
            let ca = try await Certificates.make().certificate("ca")
            let process = try await ChildProcess.start(
                "probe", Toolbox.bridge(),
                ["probe", "127.0.0.1:\(front.port)", "--cafile", ca, "--timeout", "60", "--fallback-port", "0"])
            _ = try await process.output.first("the step before") { $0.contains("datagrams") }
            process.signal(signal)
            #expect(try await process.end() == .exit(code))
            _ = try? await process.output.first("the end of output") { _ in false }
            #expect(await process.output.all.allSatisfy { !$0.contains("FAILED") && !$0.contains("result:") })
            #expect(try await front.handshakes.count == 1)
        }
    }

    /// Whoever ends a probe does not want it to go on with a burst.
    @Test func anAbandonedProbeBeginsNothingMore() async throws {
        try await Self.run(.with { $0.tickets = .earlyData }) { front, _ in
            var options = ProbeOptions(
                host: "127.0.0.1", port: front.port, caFile: try await Certificates.make().certificate("ca"))
            options.connections = 4
            options.fallbackPort = 1
            let (steps, step) = AsyncStream.makeStream(of: ProbeStep.self)
            let fallbacks = Atomic(0)
            let probe = try ProbeRun(
                options, now: Int64(Date().timeIntervalSince1970),
                checkFallback: { _ in
                    fallbacks.add(1, ordering: .relaxed)
                    return .zero
                }, tell: { step.yield($0) })
            async let report = probe.run()
            for await step in steps where step.name == .connect { break }
            await probe.abandon()
            #expect(await report.burst == nil)
            #expect(try await front.handshakes.count == 1 && fallbacks.load(ordering: .relaxed) == 0)
        }
    }
}

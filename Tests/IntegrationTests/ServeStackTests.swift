import Foundation
import Testing

/// `serve` with clients of another QUIC stack (aioquic).
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeStackTests {
    /// Runs one scenario to its end and returns what it reported.
    private func pass(
        _ name: String, _ arguments: [String] = [], _ options: ServeScenario.Options = ServeScenario.Options(),
        ca: String = "ca"
    ) async throws -> [StackEvent] {
        let events = EventLog<StackEvent>()
        try await ServeScenario.run(options) { scenario in
            let client = try await StackClient.start(name, port: scenario.serve.port, arguments, ca: ca)
            await scenario.own(client.process)
            for event in try await client.passed() { await events.append(event) }
        }
        return await events.all
    }

    // MARK: Sessions

    @Test(arguments: ["3.1.1", "5.0"])
    func aSession(version: String) async throws {
        let events = try await pass("single", ["--version", version, "--size", "1000000", "--await-close"])
        let closed = events.first { $0.event == "closed" }
        #expect(closed?.code == 0 && closed?.application == true)
    }

    struct End: Sendable {
        let how: String
        let hasWill: Bool
    }

    static let ends = [
        End(how: "disconnect", hasWill: false), End(how: "disconnect-no-fin", hasWill: false),
        End(how: "fin", hasWill: true), End(how: "reset", hasWill: true), End(how: "close", hasWill: true),
    ]

    @Test(arguments: ends, ["mqtt", "mqtt-mux"])
    func theWillIsPublishedWhereThereWasNoDisconnect(end: End, alpn: String) async throws {
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            let client = try await StackClient.start(
                "single", port: scenario.serve.port, ["--end", end.how, "--will", "will/stack", "--alpn", alpn])
            await scenario.own(client.process)
            try await client.passed()
            if end.hasWill {
                #expect(try await observer.message().topic == "will/stack")
            } else {
                try await scenario.serve.logs("session ended")
            }
            // The broker has published whatever there was to publish for the session, so the next message is the
            // marker.
            try await observer.publish("will/marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "will/marker")
        }
    }

    @Test func aSecondStreamIsRefused() async throws {
        _ = try await pass("second-stream")
    }

    @Test func manySessionsShareAConnection() async throws {
        let events = try await pass("mux", ["--streams", "200", "--messages", "3"])
        #expect(events.contains { $0.event == "connected" && $0.alpn == "mqtt-mux" })
    }

    // MARK: Addresses

    @Test(arguments: [("always", "yes"), ("never", "no")])
    func addressesAreValidatedAsConfigured(retry: String, expected: String) async throws {
        var options = ServeScenario.Options()
        options.serve = ["retry: \(retry)"]
        _ = try await pass("retry", ["--expect", expected], options)
    }

    @Test(arguments: [false, true])
    func aNewAddressIsFollowed(withNewConnectionID: Bool) async throws {
        let more = withNewConnectionID ? ["--change-connection-id"] : []
        let events = try await pass("migrate", ["--count", "6", "--pause", "2"] + more)
        #expect(events.filter { $0.event == "rebound" }.count == 6)
    }

    // MARK: Tickets

    @Test func aConnectInEarlyDataIsAccepted() async throws {
        let events = try await pass("resume", ["--expect", "accepted", "--within", "30"])
        #expect(events.contains { $0.event == "connected" && $0.resumed == true && $0.earlyData == true })
    }

    @Test func withoutEarlyDataASessionIsStillResumed() async throws {
        var options = ServeScenario.Options()
        options.serve = ["early_data: false"]
        let events = try await pass("resume", ["--expect", "rejected"], options)
        #expect(events.last { $0.event == "connected" }?.resumed == true)
    }

    @Test func aReplayedFirstFlightIsNotRunAgain() async throws {
        let events = try await pass("replay", ["--within", "30"])
        #expect(events.first { $0.event == "runs" }?.count == 1)
    }

    /// Runs a scenario against two processes, one after the other, that have the same ticket keys. Each `FOLDER` in the
    /// arguments stands for a folder that outlives both. Returns what the client of the second process reported.
    private func passOverARestart(_ name: String, _ arguments: [String]) async throws -> [StackEvent] {
        let folder = try Folder()
        defer { folder.remove() }
        var options = ServeScenario.Options()
        options.serve = ["ticket_key_file: \(folder.path)/ticket.key"]
        let given = arguments.map { $0.replacing("FOLDER", with: folder.path) }
        _ = try await pass(name, given, options)
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/ticket.key")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        return try await pass(name, given, options)
    }

    @Test func aTicketOutlivesTheServer() async throws {
        let events = try await passOverARestart("resume", ["--ticket", "FOLDER/client.ticket"])
        let connected = events.filter { $0.event == "connected" }
        #expect(connected.count == 1 && connected.first?.resumed == true)
        // Early data is not read, because this process cannot know what the previous one has seen.
        #expect(connected.first?.earlyData == false)
    }

    @Test func aFirstFlightReplayedAfterARestartIsNotRun() async throws {
        let events = try await passOverARestart("replay", ["--within", "30", "--flight", "FOLDER/client.flight"])
        #expect(events.first { $0.event == "runs" }?.count == 0)
    }

    // MARK: Operation

    @Test(arguments: [false, true])
    func aNewCertificateIsUsedWhileSessionsGoOn(bySignal: Bool) async throws {
        try await ServeScenario.run { scenario in
            let kept = try await StackClient.start("keep", port: scenario.serve.port, ["--streams", "20"])
            await scenario.own(kept.process)
            let old = try await kept.reports("connected").certificate
            try await kept.reports("round")
            try await ServeScenario.use("rsa-server", in: scenario.folder)
            if bySignal { scenario.serve.process.signal(SIGHUP) }
            try await scenario.serve.logs("certificates and keys reloaded")
            let changed = await kept.events.count
            let new = try await newCertificate(scenario, otherThan: old)
            #expect(new != old)
            try await kept.reports("round", from: changed)
            try kept.process.endInput()
            let events = try await kept.passed()
            #expect(events.contains { $0.event == "ended" && $0.by == "client" })
        }
    }

    /// Returns the certificate of a new connection, once one can be verified with the new CA.
    private func newCertificate(_ scenario: ServeScenario, otherThan old: String?) async throws -> String? {
        for _ in 0..<30 {
            let client = try await StackClient.start(
                "retry", port: scenario.serve.port, ["--client-id", "new"], ca: "rsa-ca-chain")
            await scenario.own(client.process)
            if try await client.process.end() == .exit(0) {
                return try await client.reports("connected").certificate
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        throw HarnessError("no connection was shown the new certificate")
    }

    @Test func aShutdownEndsEverySessionInOrder() async throws {
        try await ServeScenario.run { scenario in
            let client = try await StackClient.start(
                "keep", port: scenario.serve.port, ["--streams", "20", "--version", "5.0"])
            await scenario.own(client.process)
            try await client.reports("round")
            scenario.serve.process.signal(SIGTERM)
            try await client.passed()
            let end = try await client.reports("ended")
            #expect(end.by == "server" && end.application == true)
            #expect(end.disconnects == Array(repeating: 0x8B, count: 20))
            #expect(end.fins == 20 && end.resets == [])
            #expect(try await scenario.serve.process.end() == .exit(0))
        }
    }

    @Test func clientCertificatesAreDemanded() async throws {
        let certificates = try await Certificates.make()
        var options = ServeScenario.Options()
        options.serve = ["client_ca: \(certificates.certificate("ca"))"]
        let events = try await pass(
            "client-certificate",
            [
                "--certificate", certificates.certificate("client"), "--private-key", certificates.key("client"),
                "--other-certificate", certificates.certificate("other-client"),
                "--other-private-key", certificates.key("other-client"),
            ], options)
        #expect(events.filter { $0.event == "refused" }.count == 2)
    }

    // MARK: Strangers

    @Test func anUnknownVersionIsNegotiated() async throws {
        _ = try await pass("version")
    }

    @Test func aPacketOfAnUnknownConnectionIsAnsweredByAStatelessReset() async throws {
        _ = try await pass("unknown-cid")
    }

    /// A flood of Initial packets costs no memory if addresses are always validated, and otherwise that of
    /// `retry_above` handshakes per second. Honest clients are still accepted.
    @Test(arguments: [("always", 16), ("auto", 80)])
    func aFloodOfInitialsDoesNoHarm(retry: String, mebibytes: Int) async throws {
        var options = ServeScenario.Options()
        options.serve = ["retry: \(retry)"]
        options.alone = true
        try await ServeScenario.run(options) { scenario in
            let serve = scenario.serve.process
            // One session comes first, so that memory that is only allocated once does not count.
            let first = try await StackClient.start("single", port: scenario.serve.port)
            await scenario.own(first.process)
            try await first.passed()
            let before = try memory(of: serve)
            let flood = try await StackClient.start(
                "flood", port: scenario.serve.port, ["--count", "5000", "--client-id", "honest"])
            await scenario.own(flood.process)
            let events = try await flood.passed()
            #expect(events.last { $0.event == "connected" }?.retry == true)
            let amplification = try #require(events.last { $0.event == "answers" }?.amplification)
            #expect(amplification < 1)
            #expect(try memory(of: serve) - before < mebibytes * 1_024)
        }
    }

    /// The process's peak memory in KiB.
    private func memory(of process: ChildProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber)))
    }
}

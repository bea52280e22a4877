import Foundation
import Testing

/// What `run` and `serve` tell a service manager such as systemd, and which sockets they take from it.
@Suite(.timeLimit(.minutes(10)))
struct SupervisionTests {
    /// Runs `body` with a bridge that has no broker, started by a service manager that has these options.
    static func withParent(
        _ options: [String], listen: String? = nil, _ body: (ServiceParent, Folder, String) async throws -> Void
    ) async throws {
        let parent = try await ServiceParent.start(options)
        let folder = try Folder()
        do {
            var scenario = Scenario.Options()
            scenario.listen = listen ?? parent.ports.map { "127.0.0.1:\($0)" }.joined(separator: "\", \"")
            let file = try folder.write(
                "bridge.yaml", try await Scenario.configuration(scenario, in: folder, port: try Toolbox.freePort()))
            try await body(parent, folder, file)
        } catch {
            await parent.process.stop()
            folder.remove()
            throw HarnessError("\(error)", await TestPrograms.lastWords(of: [parent.process]))
        }
        await parent.process.stop()
        folder.remove()
    }

    @Test(.mapping(.connection), arguments: [["--listen", "127.0.0.1:0"], ["--listen", "127.0.0.1:0", "--abstract"]])
    func tellsThatItIsReadyAndThatItEnds(options: [String]) async throws {
        try await Self.withParent(options) { parent, _, file in
            let pid = try await parent.start("run", "--config", file)
            let ready = try await parent.notice("READY=1", "STATUS=listening on 127.0.0.1:\(parent.ports[0]); broker")
            #expect(ready.pid == pid)
            #expect(ready.text?.contains("0 devices live") == true)
            let count = await parent.events.count
            try parent.process.send("signal \(SIGHUP)")
            try await parent.notice("RELOADING=1", from: count)
            try await parent.notice("READY=1", from: count)
            try parent.process.send("signal \(SIGTERM)")
            try await parent.notice("STOPPING=1")
            #expect(try await parent.ended() == 0)
        }
    }

    /// READY=1 means that a device can connect, and the socket that it connects to is the one that was passed.
    @Test(.mapping(.connection)) func takesTheSocketThatWasPassed() async throws {
        try await Self.withParent(["--listen", "127.0.0.1:0", "--names", "devices"]) { parent, _, file in
            // Nothing accepts yet, but nothing is refused either.
            let early = try await RawDevice.connect(port: parent.ports[0])
            try await early.send(RawMQTT.connect("early"))
            try await parent.start("run", "--config", file)
            try await parent.notice("READY=1")
            let line = try await parent.process.errors.first("listening") { $0.contains("listening") }
            #expect(line.contains("socket=passed"))
            _ = try await parent.process.errors.first("the early device") { $0.contains("client_id=early") }
            await early.close()
            // The next one is the program's successor, with the same socket.
            let count = await parent.events.count
            try parent.process.send("restart")
            #expect(try await parent.ended(from: count) == 0)
            try await parent.notice("READY=1", from: count)
            let late = try await RawDevice.connect(port: parent.ports[0])
            try await late.send(RawMQTT.connect("late"))
            _ = try await parent.process.errors.first("the late device") { $0.contains("client_id=late") }
            await late.close()
        }
    }

    @Test(
        .mapping(.connection),
        arguments: [
            (["--listen", "127.0.0.1:0"], "127.0.0.1:0", "which is not in `listen`"),
            (["--bound", "127.0.0.1:0"], nil, "is no listening TCP socket"),
            (["--udp", "127.0.0.1:0"], nil, "is no listening TCP socket"),
            (["--listen", "127.0.0.1:0", "--names", "a:b"], nil, "LISTEN_FDNAMES"),
        ] as [([String], String?, String)])
    func aSocketThatDoesNotFitIsRefused(options: [String], listen: String?, words: String) async throws {
        try await Self.withParent(options, listen: listen) { parent, _, file in
            try await parent.start("run", "--config", file)
            #expect(try await parent.ended() == 78)
            _ = try await parent.process.errors.first("the reason") {
                $0.contains("the configuration is not usable") && $0.contains(words)
            }
        }
    }

    @Test(.mapping(.connection)) func theWatchdogIsKeptCalm() async throws {
        try await Self.withParent(["--listen", "127.0.0.1:0", "--watchdog", "400000"]) { parent, _, file in
            try await parent.start("run", "--config", file)
            try await parent.notice("READY=1")
            var count = 0
            for _ in 0..<3 {
                try await parent.notice("WATCHDOG=1", from: count)
                count = await parent.events.count
            }
        }
    }

    /// A service manager that asks for something impossible must not keep devices from the broker.
    @Test(.mapping(.connection)) func aBadVariableIsNamedAndTheProgramRuns() async throws {
        try await Self.withParent(["--listen", "127.0.0.1:0", "--watchdog", "soon"]) { parent, _, file in
            try await parent.start("run", "--config", file)
            try await parent.notice("READY=1")
            _ = try await parent.process.errors.first("the warning") {
                $0.contains("the service manager is not told") && $0.contains("WATCHDOG_USEC=")
            }
        }
    }

    @Test(.mapping(.mux)) func serveTellsToo() async throws {
        let parent = try await ServiceParent.start(["--udp", "127.0.0.1:0"])
        let alone = try await ServiceParent.start([])
        let folder = try Folder()
        defer { folder.remove() }
        let certificates = try await Certificates.make()
        let file = try folder.write(
            "serve.yaml",
            """
            serve:
              listen: ["127.0.0.1:0"]
              certificate: \(certificates.certificate("server"))
              key: \(certificates.key("server"))
              broker_host: 127.0.0.1
              broker_port: 1
            """)
        try await alone.start("serve", "--config", file)
        try await alone.notice("READY=1", "STATUS=listening on 127.0.0.1:")
        try alone.process.send("signal \(SIGTERM)")
        try await alone.notice("STOPPING=1")
        #expect(try await alone.ended() == 0)
        try await parent.start("serve", "--config", file)
        #expect(try await parent.ended() == 78)
        _ = try await parent.process.errors.first("the reason") { $0.contains("opens its UDP sockets itself") }
        await alone.process.stop()
        await parent.process.stop()
    }
}

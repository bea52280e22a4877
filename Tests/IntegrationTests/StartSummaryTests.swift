import Foundation
import Testing

/// What somebody sees who starts the program on a terminal.
@Suite(.timeLimit(.minutes(20)))
struct StartSummaryTests {
    @Test(.mapping(.connection)) func aTerminalGetsASummary() async throws {
        try await SupervisionTests.withParent(["--terminal"], listen: "127.0.0.1:0") { parent, _, file in
            try await parent.start("run", "--config", file)
            let text = try await parent.terminal("The broker will be connected to when the first devices come.")
            #expect(text.contains("mqtt-quic-bridge ") && text.contains(" run\n  devices connect to"), "\(text)")
            #expect(text.contains("over QUIC, mapping connection\n"), "\(text)")
            #expect(text.contains("none, all topics pass unchanged\n"), "\(text)")
            #expect(text.contains("CA certificate") && text.contains("until 2"), "\(text)")
            #expect(text.contains("status page") && text.contains("off\n"), "\(text)")
        }
    }

    @Test(.mapping(.connection)) func aFileGetsNone() async throws {
        try await SupervisionTests.withParent([], listen: "127.0.0.1:0") { parent, _, file in
            try await parent.start("run", "--config", file)
            try await parent.notice("READY=1")
            try parent.process.send("signal \(SIGTERM)")
            #expect(try await parent.ended() == 0)
            #expect(await !parent.process.errors.all.contains { $0.contains("devices connect to") })
        }
    }

    @Test(.mapping(.connection, .mux)) func aTerminalIsToldWhenTheBrokerAnswers() async throws {
        var options = Scenario.Options()
        options.uplink = ["warm: 1"]
        let given = options
        try await Scenario.run(given) { scenario in
            let parent = try await ServiceParent.start(["--terminal"])
            await scenario.own(parent.process)
            let file = try scenario.folder.write(
                "terminal.yaml",
                try await Scenario.configuration(given, in: scenario.folder, port: scenario.farEnd.port))
            try await parent.start("run", "--config", file)
            let text = try await parent.terminal("The broker answers. Broker reached by QUIC to localhost:")
            #expect(text.contains("mapping \(TestMapping.current.rawValue)"), "\(text)")
        }
    }
}

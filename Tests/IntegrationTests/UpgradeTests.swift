import Foundation
import Testing

/// The program ends while devices publish, and a service manager starts it again.
@Suite(.timeLimit(.minutes(20)))
struct UpgradeTests {
    /// Why the program ends, and who keeps the listening socket.
    enum End: String, CaseIterable, Sendable {
        /// It is replaced by another one. The service manager keeps the socket.
        case upgrade
        /// It aborts, as an assertion of a library makes it do. The service manager keeps the socket.
        case crash
        /// It aborts, and its socket goes with it, as in a container.
        case crashWithSocket

        var keepsSocket: Bool { self != .crashWithSocket }
        /// What the program ends with, as Python has it.
        var code: Int32 { self == .upgrade ? 0 : -SIGABRT }
        /// The command of service_parent.py. The pause after a crash is that of the systemd units.
        var command: String { self == .upgrade ? "restart" : "restart \(SIGABRT) 0.5" }
    }

    private struct Event: Codable, Sendable {
        enum CodingKeys: String, CodingKey {
            case event, count, acknowledged, lost, refused, disconnects
            case slowest = "slowest_ms"
        }

        var event: String
        var count: Int?
        var slowest: Int?
        var acknowledged: Int?
        var lost: Int?
        var refused: Int?
        var disconnects: Int?
    }

    @Test(arguments: End.allCases) func devicesComeBackAndNothingAcknowledgedIsLost(end: End) async throws {
        // The front is written in Python and needs some milliseconds for each handshake.
        let number = TestMapping.current == .connection ? 40 : 200
        let restarts = 3
        var options = Scenario.Options()
        options.alone = true
        // On a busy machine the observer may fall behind, and Mosquitto must not drop anything for that.
        options.broker.lines = ["max_inflight_messages 0", "max_queued_messages 0"]
        let given = options
        try await Scenario.run(given) { scenario in
            let parent = try await ServiceParent.start(end.keepsSocket ? ["--listen", "127.0.0.1:0"] : [])
            await scenario.own(parent.process)
            let port = try parent.ports.first ?? Toolbox.freePort()
            var own = given
            own.listen = "127.0.0.1:\(port)"
            let file = try scenario.folder.write(
                "upgrade.yaml",
                try await Scenario.configuration(own, in: scenario.folder, port: scenario.farEnd.port))
            try await parent.start("run", "--config", file)
            try await parent.notice("READY=1")
            let events = EventLog<Event>()
            let client = try await ChildProcess.start(
                "upgrade_client.py", Toolbox.python,
                [
                    Toolbox.support("upgrade_client.py"), "\(port)", "\(scenario.broker.port)", "\(number)", "100",
                ]
            ) { line in
                guard let line else { return await events.finish("upgrade_client.py has ended") }
                if let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) {
                    await events.append(event)
                }
            }
            await scenario.own(client)
            #expect(try await events.first("all devices") { $0.event == "ready" }.count == number)
            for _ in 0..<restarts {
                _ = try await events.take("traffic of all devices") { $0.event == "flowing" }
                let (count, messages) = (await events.count, await parent.events.count)
                try parent.process.send(end.command)
                #expect(try await parent.ended(from: messages) == end.code)
                let returned = try await events.first("the devices' return", from: count) { $0.event == "returned" }
                print("\(end) with \(number) devices: the slowest was back after \(returned.slowest ?? 0) ms")
                // On an idle machine it is less than two seconds.
                #expect(returned.slowest ?? .max < 15_000)
            }
            _ = try await events.take("traffic of all devices") { $0.event == "flowing" }
            try client.send("stop")
            let result = try await events.first("the result") { $0.event == "result" }
            #expect(result.lost == 0 && (result.refused == 0 || !end.keepsSocket), "\(result)")
            #expect(
                result.disconnects == number * restarts && result.acknowledged ?? 0 >= 5 * number * (restarts + 1),
                "\(result)")
            print("\(end): \(result)")
        }
    }
}

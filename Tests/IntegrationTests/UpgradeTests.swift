import Foundation
import Testing

/// The program is replaced by another one while devices publish. A service manager keeps the listening socket.
@Suite(.timeLimit(.minutes(10)))
struct UpgradeTests {
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

    @Test func devicesComeBackAndNothingAcknowledgedIsLost() async throws {
        // The front is written in Python and needs some milliseconds for each handshake.
        let number = TestMapping.current == .connection ? 40 : 200
        let restarts = 3
        var options = Scenario.Options()
        options.alone = true
        let given = options
        try await Scenario.run(given) { scenario in
            let parent = try await ServiceParent.start(["--listen", "127.0.0.1:0"])
            await scenario.own(parent.process)
            var own = given
            own.listen = "127.0.0.1:\(parent.ports[0])"
            let file = try scenario.folder.write(
                "upgrade.yaml",
                try await Scenario.configuration(own, in: scenario.folder, port: scenario.farEnd.port))
            try await parent.start("run", "--config", file)
            try await parent.notice("READY=1")
            let events = EventLog<Event>()
            let client = try await ChildProcess.start(
                "upgrade_client.py", Toolbox.python,
                [
                    Toolbox.support("upgrade_client.py"), "\(parent.ports[0])", "\(scenario.broker.port)", "\(number)",
                    "100",
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
                try parent.process.send("restart")
                #expect(try await parent.ended(from: messages) == 0)
                let returned = try await events.first("the devices' return", from: count) { $0.event == "returned" }
                print("upgrade of \(number) devices: the slowest was back after \(returned.slowest ?? 0) ms")
                // On an idle machine it is less than a second.
                #expect(returned.slowest ?? .max < 15_000)
            }
            _ = try await events.take("traffic of all devices") { $0.event == "flowing" }
            try client.send("stop")
            let result = try await events.first("the result") { $0.event == "result" }
            #expect(result.lost == 0 && result.refused == 0, "\(result)")
            #expect(
                result.disconnects == number * restarts && result.acknowledged ?? 0 >= 5 * number * (restarts + 1),
                "\(result)")
            print("upgrade: \(result)")
        }
    }
}

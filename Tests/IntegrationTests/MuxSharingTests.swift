import Foundation
import Testing

/// How devices share connections, and how many connections there are.
@Suite(.mapping(.mux), .timeLimit(.minutes(20)))
struct MuxSharingTests {
    @Test func autoSharesConnectionsIfTheServerAllowsIt() async throws {
        var options = Scenario.Options()
        options.configuration = "threads: 4"
        options.uplink = ["mapping: auto"]
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(20, port: scenario.bridge.port, ["subscribe": true])
            #expect(try await load.perform("publish", answer: "published").count == 20)
            // There is one connection per event loop.
            #expect(try await scenario.serve.connections <= 4)
            try await scenario.bridgeSays("the broker has chosen the mapping")
            // The mapping is logged once, and not once per event loop.
            #expect(await scenario.bridgeSaid("the broker has chosen the mapping") == 1)
            #expect(await scenario.bridgeSaid("mapping=mux") == 1)
        }
    }

    @Test func autoGivesEachDeviceAConnectionIfTheServerWantsThat() async throws {
        var options = Scenario.Options()
        options.farEnd = .front
        options.uplink = ["mapping: auto"]
        try await Scenario.run(options) { scenario in
            var numbers: Set<Int?> = []
            for name in ["device-1", "device-2", "device-3"] {
                _ = try await scenario.device(name)
                numbers.insert(try await scenario.front.connection(of: name))
            }
            #expect(numbers.count == 3 && !numbers.contains(nil))
            #expect(await scenario.bridgeSaid("mapping=connection") == 1)
        }
    }

    /// The broker's software is replaced while the bridge keeps running.
    @Test(arguments: [FarEnd.Kind.front, .serve]) func autoFollowsAServerThatChanges(from first: FarEnd.Kind)
        async throws
    {
        let second: FarEnd.Kind = first == .front ? .serve : .front
        var options = Scenario.Options.onOneLoop(uplink: [
            "mapping: auto", "idle_timeout: 3s", "keep_alive: 1s", "connect_timeout: 2s", "backoff_minimum: 50ms",
            "backoff_maximum: 200ms", "on_loss: close",
        ])
        options.farEnd = first
        try await Scenario.run(options) { scenario in
            let before = try await scenario.device("before")
            await scenario.farEnd.process.stop()
            _ = try await before.disconnected()
            let next = try await scenario.startAgain(second)
            for name in ["a", "b", "c"] { try await eventuallyConnects(scenario, name) }
            try await scenario.bridgeSays("mapping=\(second == .serve ? "mux" : "connection")")
            if let serve = next.serve {
                try await serve.expectConnections(1)
            }
        }
    }

    @Test func aConnectionTakesAtMostItsLimitOfDevices() async throws {
        try await Scenario.run(.onOneLoop(uplink: ["devices_per_connection: 3"])) { scenario in
            let load = try await scenario.load()
            try await load.connect(7, port: scenario.bridge.port, ["subscribe": true, "at_once": 1])
            try await scenario.serve.expectConnections(3)
            #expect(try await load.perform("publish", answer: "published").count == 7)
        }
    }

    /// If all devices come at once, there may be one connection more than needed, but no more.
    @Test func aCrowdMakesNoMoreConnectionsThanItNeeds() async throws {
        try await Scenario.run(.onOneLoop(uplink: ["devices_per_connection: 10"])) { scenario in
            let load = try await scenario.load()
            try await load.connect(55, port: scenario.bridge.port, ["subscribe": true])
            #expect(try await load.perform("publish", answer: "published").count == 55)
            let count = try await scenario.serve.connections
            #expect((6...7).contains(count), "\(count) connections")
        }
    }

    @Test func theNextConnectionIsThereBeforeItIsNeeded() async throws {
        try await Scenario.run(.onOneLoop(uplink: ["devices_per_connection: 10"])) { scenario in
            let load = try await scenario.load()
            try await load.connect(9, port: scenario.bridge.port)
            try await scenario.serve.expectConnections(1)
            try await load.connect(1, port: scenario.bridge.port, ["prefix": "tenth"])
            // The eleventh device has not come yet.
            try await scenario.serve.hasConnections(2)
            try await load.connect(1, port: scenario.bridge.port, ["prefix": "eleventh"])
            try await scenario.serve.expectConnections(2)
        }
    }

    @Test func theServersLimitOfStreamsIsObeyed() async throws {
        let options = Scenario.Options.onOneLoop(
            uplink: ["devices_per_connection: 10"], serve: ["streams_per_connection: 2"])
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(5, port: scenario.bridge.port, ["subscribe": true, "at_once": 1])
            try await scenario.serve.expectConnections(3)
            #expect(try await load.perform("publish", answer: "published").count == 5)
        }
    }

    /// The server allows neither more streams nor more connections, so a further device waits until others leave.
    @Test func devicesWaitIfTheServerAllowsNoMore() async throws {
        let options = Scenario.Options.onOneLoop(
            uplink: ["connect_timeout: 20s", "backoff_maximum: 1s"],
            serve: ["streams_per_connection: 2", "connections: 1"])
        try await Scenario.run(options) { scenario in
            let first = try await scenario.device("first")
            let second = try await scenario.device("second")
            async let third = scenario.device("third")
            try await scenario.bridgeSays("the broker refuses connections for now")
            _ = try await scenario.bridge.process.errors.first("CONNECT of the third") {
                $0.contains("device identified") && $0.contains("client_id=third")
            }
            try await first.disconnect()
            try await third.publish("up", "I am in", qos: 1)
            try await second.publish("up", "still here", qos: 1)
            try await scenario.serve.expectConnections(1)
        }
    }

    @Test func aDeviceThatWaitsInVainIsToldWhy() async throws {
        let options = Scenario.Options.onOneLoop(
            uplink: ["connect_timeout: 8s", "backoff_maximum: 500ms"],
            serve: ["streams_per_connection: 1", "connections: 1"])
        try await Scenario.run(options) { scenario in
            let first = try await scenario.device("first")
            let late = await scenario.client("late")
            let refused = try await late.tryConnect(port: scenario.bridge.port, ["version": "5.0"])
            #expect(refused.event == "connected" && refused.code == 0x88)
            guard case .string(let reason) = refused.properties?["ReasonString"] else {
                Issue.record("no Reason String: \(refused)")
                return
            }
            #expect(reason.localizedCaseInsensitiveContains("refuses"), "\(reason)")
            try await first.publish("up", "still here", qos: 1)
        }
    }

    @Test func emptyConnectionsAreClosed() async throws {
        let options = Scenario.Options.onOneLoop(
            uplink: ["devices_per_connection: 1", "idle_timeout: 10s", "keep_alive: 3s"])
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(3, port: scenario.bridge.port, ["at_once": 1])
            // There are the three connections of the devices, and one in advance.
            try await scenario.serve.hasConnections(4)
            #expect(try await scenario.serve.endedConnections == 0)
            try await load.perform("disconnect", answer: "disconnected")
            try await scenario.serve.hasEndedConnections(4)
            #expect(await scenario.bridgeSaid("was lost") == 0)
            _ = try await scenario.device("later")
            try await scenario.serve.hasConnections(5)
        }
    }

    /// If the server closed connections without streams, the bridge would make new ones again and again.
    @Test func aConnectionInAdvanceStays() async throws {
        let options = Scenario.Options.onOneLoop(
            uplink: ["devices_per_connection: 1"], serve: ["connect_within: 500ms"])
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("device-1")
            try await scenario.serve.hasConnections(2)
            try await Task.sleep(for: .seconds(2))
            #expect(try await scenario.serve.endedConnections == 0)
            _ = try await scenario.device("device-2")
            try await scenario.serve.hasConnections(3)
        }
    }
}

import Testing

/// A broker that refuses handshakes beyond a certain number at once, which is no reason to refuse a device.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct BurstTests {
    /// Many more devices than the broker has acceptors connect at the same moment, and all are accepted.
    @Test func aBurstBeyondTheAcceptorsIsAccepted() async throws {
        let number = 100
        var options = Scenario.Options()
        options.front.acceptors = 4
        options.front.acceptDelay = 50
        options.alone = true
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(
                number, port: scenario.bridge.port, ["subscribe": true, "keep_alive": 600, "at_once": .int(number)])
            #expect(try await load.perform("publish", answer: "published").count == number)
            #expect(await load.ended == 0)
        }
    }

    /// The broker is reachable, and accepts the handshake a moment later.
    @Test(arguments: ["3.1.1", "5.0"])
    func aRefusedHandshakeIsRepeated(version: String) async throws {
        try await Scenario.run(Scenario.Options.onOneLoop()) { scenario in
            try await scenario.front.refuseHandshakes(2)
            let device = try await scenario.device("device-1", ["version": .string(version)])
            try await device.publish("up", "hello", qos: 1)
            #expect(try await scenario.front.said("refused") == 2)
        }
    }

    /// A broker that refuses every handshake counts as unreachable: the device is told so after the time it may wait,
    /// and is accepted later.
    @Test func aBrokerThatAlwaysRefusesIsUnreachable() async throws {
        let uplink = ["connect_timeout: 2s", "backoff_minimum: 50ms", "backoff_maximum: 200ms"]
        try await Scenario.run(Scenario.Options.onOneLoop(uplink: uplink)) { scenario in
            try await scenario.front.refuseHandshakes()
            let refused = await scenario.client("refused")
            let outcome = try await refused.tryConnect(port: scenario.bridge.port)
            #expect(outcome.event != "connected" || outcome.code != 0)
            try await scenario.front.refuseHandshakes(0)
            try await eventuallyConnects(scenario, "later")
        }
    }
}

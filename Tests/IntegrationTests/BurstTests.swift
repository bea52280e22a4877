import Testing

/// A broker that takes so many handshakes at once and refuses those beyond, which is no reason to refuse a device.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct BurstTests {
    /// No acceptor at all is as good as no broker: the device hears of it when its patience is over, and is let in later.
    @Test func whoRefusesForEverIsUnreachable() async throws {
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

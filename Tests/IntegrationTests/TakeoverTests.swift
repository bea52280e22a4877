import Testing

/// A client identifier connects again and again while its older connections are still open.
@Suite(.timeLimit(.minutes(20)))
struct TakeoverTests {
    private static let number = 6

    /// EMQX makes the third and all later connections wait for three seconds if earlier ones that were taken over are
    /// still open. The front reports when it does the same.
    @Test(.mapping(.connection), arguments: ["3.1.1", "5.0"])
    func noneOfManyInARowWaitsForConnectionsThatWereTakenOver(version: String) async throws {
        try await Scenario.run { scenario in
            var older: PahoClient?
            for index in 1...Self.number {
                let device = await scenario.client("device-\(index)")
                try await device.connect(
                    port: scenario.bridge.port, ["version": .string(version), "client_id": "one-for-all"])
                if let end = try await older?.disconnected(), version == "5.0" { #expect(end.code == 0x8E) }
                older = device
            }
            try await older?.publish("up", "hello", qos: 1)
            #expect(try await scenario.front.said("takeover_delayed") == 0)
        }
    }
}

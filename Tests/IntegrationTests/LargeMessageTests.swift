import Testing

/// Messages far larger than any buffer of the bridge.
@Suite(.timeLimit(.minutes(20)))
struct LargeMessageTests {
    private static let size = 5_000_000
    /// How many KiB the bridge may grow by, which is well below the payload's 4883 KiB.
    private static let growth = 2_500

    private static func options(routed: Bool) -> Scenario.Options {
        var options = Scenario.Options()
        options.configuration = routed ? "routes: [{local: \"big/#\", remote: \"remote/${clientid}/#\"}]" : ""
        options.front.reportsPackets = false
        options.alone = true
        return options
    }

    @Test(arguments: [false, true])
    func fiveMegabytesPassUpWithoutBeingHeld(routed: Bool) async throws {
        try await Scenario.run(Self.options(routed: routed)) { scenario in
            let observer = try await scenario.observer("#")
            let device = try await scenario.device("device-1", ["version": routed ? "5.0" : "3.1.1"])
            try await device.publish("big/warm-up", "x", qos: 1)
            _ = try await observer.message()
            try scenario.bridge.forgetHighestMemory()
            let before = try scenario.bridge.memory("VmHWM")
            for qos in 0...2 {
                let sent = try await device.startPublishing("big/up", .size(Self.size), qos: qos)
                let message = try await observer.message()
                #expect(message.topic == (routed ? "remote/device-1/up" : "big/up"))
                #expect(message.size == Self.size && message.sha256 == sent.sha256)
            }
            try expectBounded(scenario, since: before)
        }
    }

    @Test(arguments: [false, true])
    func fiveMegabytesPassDownWithoutBeingHeld(routed: Bool) async throws {
        try await Scenario.run(Self.options(routed: routed)) { scenario in
            let observer = try await scenario.observer()
            let device = try await scenario.device("device-1", ["version": routed ? "5.0" : "3.1.1"])
            try await device.subscribe("big/#")
            let remote = routed ? "remote/device-1" : "big"
            try await observer.publish("\(remote)/warm-up", "x", qos: 1)
            _ = try await device.message()
            try scenario.bridge.forgetHighestMemory()
            let before = try scenario.bridge.memory("VmHWM")
            for qos in 0...2 {
                let sent = try await observer.startPublishing("\(remote)/down", .size(Self.size), qos: qos)
                let message = try await device.message()
                #expect(message.topic == "big/down")
                #expect(message.size == Self.size && message.sha256 == sent.sha256)
            }
            try expectBounded(scenario, since: before)
        }
    }

    private func expectBounded(_ scenario: Scenario, since before: Int) throws {
        let grown = try scenario.bridge.memory("VmHWM") - before
        print("memory: highest \(grown) KiB above the start for messages of \(Self.size / 1024) KiB")
        #expect(grown < Self.growth, "grew by \(grown) KiB")
    }
}

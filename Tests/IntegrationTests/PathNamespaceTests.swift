import Testing

/// The bridge's own address or interface changes while it is running.
@Suite(
    .mapping(.connection), .enabled(if: NetworkNamespace.possible, "network namespaces need root"),
    .timeLimit(.minutes(20)))
struct PathNamespaceTests {
    private func run(_ body: @Sendable (Scenario, NetworkNamespace, PahoClient) async throws -> Void) async throws {
        try await NetworkNamespace.with { namespace in
            var options = Scenario.Options()
            options.namespace = namespace.name
            options.host = namespace.farEnd
            options.front.host = namespace.farEnd
            options.uplink = ["server_name: localhost"]
            options.listen = "\(namespace.bridge):0"
            try await Scenario.run(options) { scenario in
                let device = try await scenario.device("device-1", ["host": .string(namespace.bridge)])
                try await body(scenario, namespace, device)
            }
        }
    }

    @Test func aNewAddressIsFollowedWithoutALoss() async throws {
        try await run { scenario, namespace, device in
            let observer = try await scenario.observer("news/#")
            try await device.publish("news/0", "before", qos: 1)
            try namespace.changeAddress()
            for number in 1...20 { try await device.publish("news/\(number)", "meanwhile", qos: 1) }
            for number in 0...20 { #expect(try await observer.message().topic == "news/\(number)") }
            try await scenario.bridgeSays("the network of this machine has changed")
            let line = try await scenario.bridge.process.errors.first("the change") {
                $0.contains("the network of this machine has changed") && !$0.contains("connections_moved=0")
            }
            #expect(line.contains(namespace.second))
            // No connection was made again.
            #expect(await scenario.bridgeSaid("session resumed on a new uplink leg") == 0)
            #expect(await scenario.bridgeSaid("session ended") == 0)
        }
    }

    @Test func anInterfaceThatWasDownIsSurvived() async throws {
        try await run { scenario, namespace, device in
            let observer = try await scenario.observer("news/#")
            try await device.publish("news/0", "before", qos: 1)
            try namespace.setUplink(up: false)
            let sent = try await device.startPublishing("news/1", "meanwhile", qos: 1)
            try await scenario.holds()
            try namespace.setUplink(up: true)
            try await device.acknowledged(sent)
            try await device.publish("news/2", "after", qos: 1)
            for number in 0...2 { #expect(try await observer.message().topic == "news/\(number)") }
            #expect(await scenario.bridgeSaid("session ended") == 0)
        }
    }
}

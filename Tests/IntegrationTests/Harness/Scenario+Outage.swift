import Foundation

// How tests of outages interrupt a scenario.
extension Scenario {
    /// Kills the broker and the far end in front of it, as if they were one process. Neither closes its connections.
    func killBroker() async throws {
        for process in [farEnd.process, broker.process] {
            process.signal(SIGKILL)
            _ = try await process.end()
        }
    }

    /// Restarts both at the same ports, the broker with the state that it had saved.
    @discardableResult
    func startBrokerAgain() async throws -> FarEnd {
        let next = try await broker.startAgain(in: folder)
        await own(next.process)
        var front = options.front
        front.port = farEnd.port
        let farEnd = try await FarEnd.start(in: folder, broker: next.port, front, kind: options.farEnd)
        await own(farEnd.process)
        return farEnd
    }

    /// Starts another bridge in front of the same far end.
    func anotherBridge(_ options: Options? = nil, port: Int? = nil) async throws -> Bridge {
        let text = try await Self.configuration(
            options ?? self.options, in: folder, port: port ?? (try? relay.port) ?? farEnd.port)
        let bridge = try await Bridge.start(in: folder, configuration: text)
        await own(bridge.process)
        return bridge
    }

    /// Runs `body` while nothing passes between the bridge and the far end.
    func duringBlackout(_ body: () async throws -> Void) async throws {
        try await relay.blackOut(true)
        try await body()
        try await relay.blackOut(false)
    }
}

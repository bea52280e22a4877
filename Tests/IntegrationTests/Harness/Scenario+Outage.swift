import Foundation

// What tests of outages do to a scenario.
extension Scenario {
    /// Kills the broker with what speaks QUIC for it, as one process: nobody says goodbye.
    func killBroker() async throws {
        for process in [farEnd.process, broker.process] {
            process.signal(SIGKILL)
            _ = try await process.end()
        }
    }

    /// Starts both again at their ports, the broker with what it had saved.
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

    /// Another bridge before the same far end.
    func anotherBridge(_ options: Options? = nil, port: Int? = nil) async throws -> Bridge {
        let text = try await Self.configuration(
            options ?? self.options, in: folder, port: port ?? (try? relay.port) ?? farEnd.port)
        let bridge = try await Bridge.start(in: folder, configuration: text)
        await own(bridge.process)
        return bridge
    }

    /// Nothing passes between bridge and far end while `body` runs.
    func duringBlackout(_ body: () async throws -> Void) async throws {
        try await relay.blackOut(true)
        try await body()
        try await relay.blackOut(false)
    }
}

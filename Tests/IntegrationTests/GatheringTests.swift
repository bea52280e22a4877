import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Bridge

/// `gather_delay`: a busy event loop waits between its turns, so that each carries more.
@Suite(.timeLimit(.minutes(20)))
struct GatheringTests {
    @Test func aBusyLoopWaitsAfterEachTurn() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1, metricsDelegate: LoopGathering.TurnEnds())
        let loop = group.next()
        let gathering = try await loop.submit { LoopGathering.begin(delay: .milliseconds(5), on: loop) }.get()
        let before = GatherWaits.total
        // So many packets are worth waiting for, however slow this machine is.
        while gathering != nil, GatherWaits.total < before + 20 {
            try await loop.submit { for _ in 0..<1_000 { gathering?.arrived() } }.get()
        }
        try await group.shutdownGracefully()
        #expect(gathering != nil)
    }

    @Test func withoutADelayNoLoopGathers() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let gathering = try await loop.submit { LoopGathering.begin(delay: .zero, on: loop) }.get()
        #expect(gathering == nil)
    }

    /// Also shows that both ends tell their loops of what arrives.
    @Test func whatIsGatheredArrives() async throws {
        let number = 200
        var options = Scenario.Options()
        options.configuration = "threads: 1\ngather_delay: 5ms"
        options.front.configuration = "gather_delay: 5ms"
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(number, port: scenario.bridge.port, ["subscribe": true])
            var rounds = 0
            // A loop begins to wait when it has been busy for some time.
            while true {
                rounds += 1
                let published = try await load.perform("publish", answer: "published", ["to_next": true])
                #expect(published.count == number)
                let messages = try await load.perform("messages", answer: "messages", ["per_client": .int(rounds)])
                #expect(messages.count == number && messages.lost == 0 && messages.wrong == 0)
                if try await bothWait(scenario) { return }
            }
        }
    }

    private func bothWait(_ scenario: Scenario) async throws -> Bool {
        guard try await waits(scenario.bridge.process) else { return false }
        guard let serve = scenario.farEnd.serve else { return true }
        return try await waits(serve.process)
    }

    /// Whether the event loops of a program have waited for more to carry.
    private func waits(_ program: ChildProcess) async throws -> Bool {
        let known = await program.errors.count
        program.signal(SIGUSR2)
        let line = try await program.errors.first("statistics", from: known) { $0.contains(" statistics ") }
        return line.contains(" gather_waits=")
    }
}

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
        /// Returns when the loop came to it.
        func arrive() async throws -> NIODeadline {
            try await loop.submit {
                for _ in 0..<10 { gathering?.arrived() }
                return .now()
            }.get()
        }
        let start = try await arrive()
        // The rate of packets is known after 16 delays.
        while try await arrive() < start + .milliseconds(200) {}
        var times: [NIODeadline] = []
        for _ in 0..<100 { times.append(try await arrive()) }
        try await group.shutdownGracefully()
        #expect(gathering != nil)
        // A task that comes before the end of a turn is a part of it, so not every task comes after a wait.
        let waits = zip(times, times.dropFirst()).count { $1 - $0 > .milliseconds(2) }
        #expect(waits > 10, "\(waits)")
    }

    @Test func withoutADelayNoLoopGathers() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let gathering = try await loop.submit { LoopGathering.begin(delay: .zero, on: loop) }.get()
        #expect(gathering == nil)
    }

    @Test func whatIsGatheredArrives() async throws {
        let number = 200
        var options = Scenario.Options()
        options.configuration = "threads: 1\ngather_delay: 5ms"
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(number, port: scenario.bridge.port, ["subscribe": true])
            for round in 1...3 {
                let published = try await load.perform("publish", answer: "published", ["to_next": true])
                #expect(published.count == number)
                let messages = try await load.perform("messages", answer: "messages", ["per_client": .int(round)])
                #expect(messages.count == number && messages.lost == 0 && messages.wrong == 0)
            }
        }
    }
}

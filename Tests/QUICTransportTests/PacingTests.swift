import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct PacingTests {
    /// The bytes of a long trickle are not added up and paced all at once when there is more to send.
    @Test func aTrickleIsNoBurst() throws {
        let simulation = try Simulation.connected(
            client: .test { $0.idleTimeout = .seconds(120) },
            server: .test {
                $0.idleTimeout = .seconds(120)
                $0.initialMaxData = 4_000_000
                $0.initialMaxStreamData = 4_000_000
            }, seed: 1)
        simulation.toServer.delay = .milliseconds(25)
        simulation.toClient.delay = .milliseconds(25)
        let id = try #require(try simulation.client.openStream())
        for _ in 0..<3_000 {
            simulation.client.write(id, pattern(200, seed: 1), fin: false)
            simulation.run(for: .milliseconds(10))
        }
        #expect(simulation.run(for: .seconds(1)) { simulation.client.bufferedBytes(id) == 0 })
        let start = simulation.now
        simulation.client.write(id, pattern(60_000, seed: 1), fin: false)
        #expect(simulation.run(for: .seconds(30)) { simulation.client.bufferedBytes(id) == 0 })
        // About four round trips of 50 ms. If the trickle were paced as one burst, it alone would take seconds.
        #expect(simulation.now - start < .milliseconds(600))
    }

    private static func connected() throws -> (simulation: Simulation, exchange: Exchange, stream: QUICStreamID) {
        let configuration = QUICConfiguration.test {
            $0.idleTimeout = .seconds(120)
            $0.initialMaxData = 16_000_000
            $0.initialMaxStreamData = 16_000_000
        }
        return try Simulation.settled(client: configuration, server: configuration)
    }

    /// Nothing waits for the end of the pause after a message, so it must not wake the event loop. From 1.0 on, ngtcp2
    /// also has a deadline for its acknowledgements, and it is unknown whether something waits after one.
    @Test(arguments: [(200, 10), (1_000, 20), (2_500, 70)])
    func aTrickleDoesNotWakeTheLoop(bytes: Int, interval: Int64) throws {
        let (simulation, _, id) = try Self.connected()
        let before = simulation.clientDeadlines
        for _ in 0..<500 {
            simulation.client.write(id, pattern(bytes, seed: 1), fin: false)
            simulation.run(for: .milliseconds(interval))
        }
        let count = simulation.clientDeadlines - before
        #expect(count <= (Simulation.isVersion0 ? 10 : 300), "\(count)")
    }

    /// Each message of a trickle leaves when it is written, or as soon as pacing allows after a recent acknowledgement.
    @Test(arguments: [(200, 1), (200, 10), (1_000, 10), (2_500, 70)])
    func aTrickleIsNotHeldBack(bytes: Int, interval: Int64) throws {
        let (simulation, _, id) = try Self.connected()
        var longest = TimeAmount.zero
        for _ in 0..<500 {
            let before = simulation.sent.toServer
            let start = simulation.now
            simulation.client.write(id, pattern(bytes, seed: 1), fin: false)
            #expect(simulation.run(for: .milliseconds(50)) { simulation.sent.toServer > before })
            longest = max(longest, simulation.now - start)
            simulation.run(for: .milliseconds(interval) - (simulation.now - start))
        }
        #expect(longest < .milliseconds(1), "\(longest.nanoseconds) ns")
    }

    /// A trickle or a pause earns no credit for a burst: the burst is paced, even if the window allows more at once.
    @Test(arguments: [true, false])
    func aBurstIsPacedHoweverLongNothingWasSent(trickles: Bool) throws {
        let (simulation, _, id) = try Self.connected()
        simulation.client.write(id, pattern(1_000_000, seed: 1), fin: false)
        #expect(simulation.run(for: .seconds(30)) { simulation.client.bufferedBytes(id) == 0 })
        for _ in 0..<(trickles ? 3_000 : 0) {
            simulation.client.write(id, pattern(200, seed: 1), fin: false)
            simulation.run(for: .milliseconds(10))
        }
        simulation.run(for: .seconds(30))
        let window = simulation.client.statistics.congestionWindow
        try #require(window > 100_000)
        let before = simulation.sent.toServer
        simulation.client.write(id, pattern(200_000, seed: 1), fin: false)
        simulation.flush()
        let atOnce = (simulation.sent.toServer - before) * 1_200
        #expect(atOnce > 10_000 && atOnce < 80_000, "\(atOnce) of \(window)")
    }

    /// Credit that is granted during the pause after a message goes out when the pause ends.
    @Test(arguments: 0..<20)
    func creditIsNotForgottenInAPause(milliseconds: Int64) throws {
        let simulation = try Simulation.connected(
            client: .test {
                $0.initialMaxData = 20_000
                $0.idleTimeout = .seconds(300)
            },
            server: .test {
                $0.idleTimeout = .seconds(300)
                $0.initialMaxData = 4_000_000
                $0.initialMaxStreamData = 4_000_000
            })
        simulation.toServer.delay = .milliseconds(25)
        simulation.toClient.delay = .milliseconds(25)
        var received = 0
        simulation.onClientEvent = { event in
            if case .streamData(_, let bytes, _) = event { received += bytes.readableBytes }
        }
        let id = try #require(try simulation.client.openStream())
        for _ in 0..<20 {
            simulation.client.write(id, pattern(3_000, seed: 1), fin: false)
            simulation.run(for: .milliseconds(500))
        }
        simulation.server?.write(id, pattern(30_000, seed: 1), fin: false)
        simulation.run(for: .seconds(20))
        #expect(received == 20_000)
        simulation.client.write(id, pattern(2_400, seed: 1), fin: false)
        simulation.run(for: .milliseconds(milliseconds))
        simulation.client.consumed(id, bytes: 20_000)
        simulation.flush()
        // One round trip, and the rest of the pause.
        #expect(simulation.run(for: .milliseconds(60)) { received == 30_000 })
    }
}

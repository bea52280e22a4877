import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

/// A path that loses many datagrams still works: a connection on it is given up only by mistake, and the broker then
/// publishes the wills of its devices.
@Suite struct PathLossTests {
    /// A message every 2 s for four hours, while the server is heard by others all the time.
    @Test func aLossyPathIsNotDead() throws {
        var silences = 0
        var deaths = 0
        for seed in 1...14 as ClosedRange<UInt64> {
            let configuration = QUICConfiguration.test {
                $0.idleTimeout = .seconds(120)
                $0.initialMaxData = 4_000_000
                $0.initialMaxStreamData = 4_000_000
            }
            let (simulation, _, id) = try Simulation.settled(
                client: configuration, server: configuration, delay: .milliseconds(25), seed: seed)
            let client = simulation.client
            var watch = PathWatch(timeout: nil)
            simulation.toServer.loss = 0.3
            simulation.toClient.loss = 0.3
            for tick in 0..<8_000 {
                if tick % 16 == 0 { client.write(id, ByteBuffer(repeating: 1, count: 200), fin: false) }
                simulation.run(for: TimeAmount(PathWatch.attemptPause))
                guard watch.isHurried || tick % 2 == 0 else { continue }
                let facts = PathWatch.Facts(
                    unansweredSince: client.unansweredSince, lastReceived: client.lastReceived,
                    lastSent: client.lastSent, probeTimeout: client.probeTimeout)
                let finding = watch.look(facts, at: simulation.now)
                switch finding {
                case .silent: silences += 1
                case .dead:
                    deaths += 1
                    watch = PathWatch(timeout: nil)
                case .nothing, .again, .answered: break
                }
                if watch.serverAnswered(at: simulation.now) || finding == .again { client.hurry(at: simulation.now) }
                simulation.flush()
            }
        }
        #expect(silences > 0)
        #expect(deaths == 0, "of \(silences) silences")
    }
}

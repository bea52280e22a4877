import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

/// What a connection that lives for long keeps of what it has done.
@Suite struct HeapTests {
    /// Each datagram carries a stream in many pieces, and some are lost and sent again in other portions. Before 1.6,
    /// ngtcp2 forgot about one frame in thousands then.
    @Test(arguments: 1...3) func itTakesNoMoreAfterManyLosses(seed: UInt64) throws {
        let configuration = QUICConfiguration.test {
            $0.idleTimeout = .seconds(120)
            $0.initialMaxData = 16_000_000
            $0.initialMaxStreamData = 1_000_000
        }
        let simulation = try Simulation.connected(client: configuration, server: configuration, seed: seed)
        let exchange = Exchange(simulation)
        simulation.toServer = Link(delay: .milliseconds(25), jitter: .milliseconds(3), loss: 0.05)
        simulation.toClient = Link(delay: .milliseconds(25), loss: 0.05)
        let stream = try #require(try simulation.client.openStream())
        /// Half a minute of five pieces 100 times per second.
        func work() -> Int {
            for _ in 0..<3_000 {
                for _ in 0..<5 { simulation.client.write(stream, ByteBuffer(repeating: 1, count: 200), fin: false) }
                simulation.run(for: .milliseconds(10))
            }
            simulation.run(for: .seconds(10))
            return simulation.client.heapObjects
        }
        let counts = (0..<6).map { _ in work() }
        #expect(exchange.atServer[stream]?.bytes.readableBytes == 6 * 3_000 * 1_000)
        // Debian 13's ngtcp2 allocates until it knows the path.
        #expect(counts.dropFirst(2).allSatisfy { $0 <= counts[1] + 2 }, "\(counts)")
    }
}

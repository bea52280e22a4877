import NIOCore
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct PacingTests {
    /// What trickled for a while is not added up and paced all at once when there is more to send.
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
        // Some four round trips of 50 ms; paced as one burst, the trickle alone takes seconds.
        #expect(simulation.now - start < .milliseconds(600))
    }
}

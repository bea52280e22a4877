import NIOCore
import Testing

@testable import QUICTransport

@Suite struct ThroughputTests {
    /// The window doubles each round trip from ten datagrams on: 10 MB take about a dozen of them, unless pacing or a
    /// missed wake-up holds the sender up.
    @Test(arguments: [QUICConfiguration.CongestionControl.cubic, .bbr])
    func onlyTheCongestionWindowHoldsTheSenderUp(control: QUICConfiguration.CongestionControl) throws {
        let simulation = try Simulation.connected(
            client: .test { $0.congestionControl = control },
            server: .test {
                $0.initialMaxData = 20_000_000
                $0.initialMaxStreamData = 20_000_000
            })
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        let start = simulation.now
        simulation.client.write(id, ByteBuffer(repeating: 7, count: 10_000_000), fin: true)
        simulation.flush()
        #expect(simulation.run(for: .seconds(10)) { exchange.atServer[id]?.isFinished == true })
        let time = simulation.now - start
        #expect(time < .milliseconds(600), "\(time)")
        #expect(exchange.atServer[id]?.bytes.readableBytes == 10_000_000)
        #expect(simulation.client.statistics.bytesSent < 11_500_000)
    }

    /// Streams that were given up with bytes that nobody read or that were lost must not use the window up.
    @Test func streamsThatAreResetLeaveTheConnectionsWindowWhole() throws {
        let simulation = try Simulation.connected(server: .test { $0.initialMaxData = 65_536 })
        let exchange = Exchange(simulation)
        simulation.toServer.loss = 0.1
        for round in 0..<40 {
            let id = try #require(try simulation.client.openStream())
            simulation.client.write(id, pattern(20_000, seed: 1), fin: false)
            simulation.flush()
            simulation.run(for: .milliseconds(Int64(5 + round)))
            simulation.client.reset(id, code: 1)
            // Where nothing of the stream arrived but its reset, ngtcp2 says nothing.
            simulation.server?.reset(id, code: 1)
            simulation.flush()
            simulation.run(for: .seconds(5)) { simulation.clientEvents.contains(.streamClosed(id)) }
        }
        simulation.toServer.loss = 0
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, pattern(32_768, seed: 2), fin: true)
        simulation.flush()
        #expect(simulation.run(for: .seconds(10)) { exchange.atServer[id]?.isFinished == true })
    }
}

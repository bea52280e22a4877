import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

@Suite struct ThroughputTests {
    /// The window begins with ten datagrams and doubles with each round trip, so 10 MB take about a dozen round trips,
    /// unless pacing or a missed wake-up delays the sender.
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

    /// A stream whose bytes are consumed at once is soon not held up by its window any more.
    @Test func theWindowOfAFastStreamGrows() throws {
        func time(growing: Bool) throws -> TimeAmount {
            let simulation = try Simulation.connected(
                server: .test {
                    $0.setWindows(65_536, streams: 1)
                    if !growing { $0.largestStreamWindow = 0 }
                })
            let exchange = Exchange(simulation)
            let id = try #require(try simulation.client.openStream())
            let start = simulation.now
            simulation.client.write(id, ByteBuffer(repeating: 7, count: 4_000_000), fin: true)
            simulation.flush()
            #expect(simulation.run(for: .seconds(30)) { exchange.atServer[id]?.isFinished == true })
            return simulation.now - start
        }
        #expect(try 3 * time(growing: true) < time(growing: false))
    }

    /// A stream that nobody reads gets one window, and takes no credit from the others.
    @Test func theWindowOfAStreamThatNobodyReadsDoesNotGrow() throws {
        let simulation = try Simulation.connected(server: .test { $0.setWindows(65_536, streams: 2) })
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(repeating: 7, count: 1_000_000), fin: true)
        simulation.flush()
        simulation.run(for: .seconds(10))
        #expect(simulation.client.bufferedBytes(id) == 1_000_000 - 65_536)
    }

    /// Streams that were given up with unread or lost bytes must not use up the connection's window.
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
            // If only the stream's reset arrived, ngtcp2 does not report the stream.
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

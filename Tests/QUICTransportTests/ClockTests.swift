import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

/// Clocks that go backwards: ngtcp2 aborts the process for a time before the last one that it was told.
@Suite struct ClockTests {
    @Test(arguments: [0, 999_999_999, 1_000_000_000])
    func aClockThatGoesBackDoesNoHarm(nanoseconds: UInt64) throws {
        let past = NIODeadline.uptimeNanoseconds(nanoseconds)
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        exchange.echoes = true
        let id = try #require(try simulation.client.openStream())
        let server = try #require(simulation.server)
        for _ in 0..<3 {
            simulation.client.write(id, pattern(5_000, seed: 1), fin: false)
            simulation.run(for: .milliseconds(25))
            for connection in [simulation.client, server] {
                connection.hurry(at: past)
                connection.handleDeadline(at: past)
                while let datagram = connection.nextDatagram(at: past) {
                    simulation.inject(datagram, toServer: connection === simulation.client, after: .milliseconds(10))
                }
                connection.receive(
                    ByteBuffer(repeating: 0x40, count: 60), from: Simulation.serverAddress,
                    to: Simulation.clientAddress, at: past)
                try? connection.initiateKeyUpdate(at: past)
            }
            try? simulation.client.migrate(to: Simulation.address("10.0.0.7", 41_000), at: past)
            simulation.run(for: .seconds(1))
        }
        simulation.client.write(id, nil, fin: true)
        #expect(simulation.run(for: .seconds(5)) { exchange.atClient[id]?.isFinished == true })
        #expect(exchange.atClient[id]?.bytes.readableBytes == 15_000)
        simulation.client.close(applicationCode: 0, reason: "", at: past)
        #expect(simulation.client.nextDatagram(at: past) != nil)
    }
}

import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct BlackHoleTests {
    /// A pair of which both sides know that the path carries more than 1400 bytes, and have opened a stream.
    private static func connected(
        delay: TimeAmount = .milliseconds(25), seed: UInt64 = 1
    ) throws -> (simulation: Simulation, exchange: Exchange, toServer: QUICStreamID, toClient: QUICStreamID) {
        let configuration = QUICConfiguration.test { $0.idleTimeout = .seconds(60) }
        let simulation = try Simulation.connected(client: configuration, server: configuration, seed: seed)
        simulation.toServer.delay = delay
        simulation.toClient.delay = delay
        let exchange = Exchange(simulation)
        simulation.run(for: .seconds(5))
        let up = try #require(try simulation.client.openStream())
        let down = try #require(try simulation.server?.openStream())
        #expect(simulation.client.statistics.datagramSize > 1400)
        #expect(simulation.server?.statistics.datagramSize ?? 0 > 1400)
        return (simulation, exchange, up, down)
    }

    enum Hole: CaseIterable {
        case up, down, both
    }

    @Test(arguments: Hole.allCases, 0..<4)
    func allBytesArriveThroughAPathThatShrinks(hole: Hole, seed: UInt64) throws {
        let (simulation, exchange, up, down) = try Self.connected(seed: seed)
        let bytes = pattern(400_000, seed: seed)
        simulation.client.write(up, bytes, fin: true)
        simulation.server?.write(down, bytes, fin: true)
        simulation.run(for: .milliseconds(150))
        let start = simulation.now
        if hole != .down { simulation.toServer.maximumSize = 1_300 }
        if hole != .up { simulation.toClient.maximumSize = 1_300 }
        #expect(
            simulation.run(for: .seconds(20)) {
                exchange.atServer[up]?.isFinished == true && exchange.atClient[down]?.isFinished == true
            })
        #expect(exchange.atServer[up]?.bytes == bytes && exchange.atClient[down]?.bytes == bytes)
        #expect(simulation.now - start < .seconds(6), "\((simulation.now - start).nanoseconds / 1_000_000) ms")
        #expect((simulation.client.statistics.datagramSize == 1_200) == (hole != .down))
        #expect((simulation.server?.statistics.datagramSize == 1_200) == (hole != .up))
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    /// Small messages keep arriving, so something is always received.
    @Test func aStreamIsNotStuckBesideOthersThatAreNot() throws {
        let (simulation, exchange, up, _) = try Self.connected()
        let small = try #require(try simulation.client.openStream())
        simulation.toServer.maximumSize = 1_300
        let start = simulation.now
        simulation.client.write(up, pattern(30_000, seed: 1), fin: true)
        for _ in 0..<100 {
            simulation.client.write(small, ByteBuffer(string: "message "), fin: false)
            simulation.run(for: .milliseconds(100)) { exchange.atServer[up]?.isFinished == true }
        }
        #expect(exchange.atServer[up]?.isFinished == true)
        #expect(simulation.client.statistics.datagramSize == 1_200)
        #expect(simulation.now - start < .seconds(20))
    }

    @Test(arguments: [true, false])
    func whatThePathTookIsTriedAgain(isHoleGone: Bool) throws {
        let (simulation, exchange, up, _) = try Self.connected()
        simulation.client.write(up, pattern(100_000, seed: 1), fin: false)
        simulation.toServer.maximumSize = 1_300
        #expect(simulation.run(for: .seconds(10)) { exchange.atServer[up]?.bytes.readableBytes == 100_000 })
        let fellBack = simulation.now
        if isHoleGone { simulation.toServer.maximumSize = 65_535 }
        var largest = 0
        simulation.onSend = { datagram, isToServer in
            if isToServer { largest = max(largest, datagram.bytes.readableBytes) }
        }
        var count = 100_000
        while simulation.now < fellBack + .seconds(590) {
            simulation.client.write(up, pattern(5_000, seed: 1), fin: false)
            simulation.run(for: .seconds(10))
            count += 5_000
        }
        #expect(largest == 1_200)
        simulation.run(for: .seconds(20))
        for _ in 0..<10 {
            simulation.client.write(up, pattern(5_000, seed: 1), fin: false)
            simulation.run(for: .seconds(1))
            count += 5_000
        }
        #expect(largest > 1_400)
        #expect(exchange.atServer[up]?.bytes.readableBytes == count)
        #expect((simulation.client.statistics.datagramSize == 1_200) == !isHoleGone)
        simulation.onSend = nil
    }

    /// Bursts of loss do not count as a black hole as long as bytes get through.
    @Test(arguments: 0..<6)
    func lossAloneIsNoHole(seed: UInt64) throws {
        let (simulation, exchange, up, _) = try Self.connected(seed: seed)
        simulation.toServer.loss = 0.05
        simulation.toClient.loss = 0.05
        simulation.client.write(up, pattern(1_000_000, seed: seed), fin: true)
        #expect(simulation.run(for: .seconds(60)) { exchange.atServer[up]?.isFinished == true })
        #expect(simulation.client.statistics.datagramSize > 1_400)
    }

    /// If nothing large was sent, there is no reason to fall back.
    @Test func anOutageOfSmallDatagramsChangesNothing() throws {
        let (simulation, exchange, up, _) = try Self.connected()
        simulation.toServer.isCut = true
        simulation.client.write(up, ByteBuffer(string: "small"), fin: false)
        simulation.run(for: .seconds(10))
        simulation.toServer.isCut = false
        #expect(simulation.run(for: .seconds(20)) { exchange.atServer[up]?.bytes.readableBytes == 5 })
        #expect(simulation.client.statistics.datagramSize > 1_400)
    }
}

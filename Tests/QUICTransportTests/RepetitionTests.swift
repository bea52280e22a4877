import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct RepetitionTests {
    private static func connected(_ rule: QUICConfiguration.SendTwice) throws -> Simulation {
        let simulation = try Simulation.connected(
            client: .test { $0.sendTwice = rule }, server: .test { $0.sendTwice = rule })
        simulation.run(for: .seconds(1))
        return simulation
    }

    /// How often each datagram to the server is sent while `body` runs.
    private static func copies(_ simulation: Simulation, _ body: () throws -> Void) rethrows -> [ByteBuffer: Int] {
        var counts: [ByteBuffer: Int] = [:]
        simulation.onSend = { datagram, isToServer in
            if isToServer { counts[datagram.bytes, default: 0] += 1 }
        }
        try body()
        simulation.onSend = nil
        return counts
    }

    /// Loses the message's only datagram, and returns how often each later one is sent until all has arrived.
    private static func copiesAfterLoss(_ simulation: Simulation, _ exchange: Exchange, bytes: Int) throws -> [Int] {
        let id = try #require(try simulation.client.openStream())
        simulation.toServer.isCut = true
        simulation.client.write(id, pattern(bytes, seed: 1), fin: false)
        simulation.flush()
        simulation.toServer.isCut = false
        let counts = copies(simulation) { simulation.run(for: .seconds(5)) }
        #expect(exchange.atServer[id]?.bytes == pattern(bytes, seed: 1))
        return counts.values.sorted()
    }

    @Test func aRetransmissionGoesOutTwice() throws {
        let simulation = try Self.connected(.retransmissions)
        let exchange = Exchange(simulation)
        // There are two probes, and a copy of the first. The rest are acknowledgements.
        let counts = try Self.copiesAfterLoss(simulation, exchange, bytes: 200)
        #expect(counts.filter { $0 == 2 }.count == 1, "\(counts)")
    }

    @Test func nothingGoesOutTwiceIfThatIsNotWanted() throws {
        let simulation = try Self.connected(.never)
        let exchange = Exchange(simulation)
        let counts = try Self.copiesAfterLoss(simulation, exchange, bytes: 200)
        #expect(counts.count >= 2 && counts.allSatisfy { $0 == 1 }, "\(counts)")
    }

    @Test func fullRetransmissionsGoOutOnce() throws {
        let simulation = try Self.connected(.small)
        let exchange = Exchange(simulation)
        let counts = try Self.copiesAfterLoss(simulation, exchange, bytes: 1_300)
        #expect(counts.count >= 2 && counts.allSatisfy { $0 == 1 }, "\(counts)")
    }

    @Test(arguments: [
        (QUICConfiguration.SendTwice.retransmissions, 200, 1), (.small, 200, 2), (.small, 800, 1), (.never, 200, 1),
    ])
    func freshData(rule: QUICConfiguration.SendTwice, bytes: Int, times: Int) throws {
        let simulation = try Self.connected(rule)
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        let counts = Self.copies(simulation) {
            simulation.client.write(id, pattern(bytes, seed: 1), fin: false)
            simulation.flush()
        }
        #expect(Array(counts.values) == [times])
        simulation.run(for: .seconds(1))
        #expect(exchange.atServer[id]?.bytes == pattern(bytes, seed: 1))
    }

    /// What may be sent to an address that is not validated is limited (RFC 9000 8.1), so copies do not go there.
    @Test func nothingGoesTwiceToAnUnvalidatedAddress() throws {
        let simulation = try Self.connected(.small)
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, pattern(10, seed: 1), fin: false)
        simulation.run(for: .seconds(1))
        let moved = Simulation.address("192.0.2.7", 9)
        simulation.clientAppearsAs = moved
        simulation.toClient.isCut = true
        simulation.client.write(id, pattern(10, seed: 2), fin: false)
        simulation.run(for: .milliseconds(15))
        var counts: [ByteBuffer: Int] = [:]
        simulation.onSend = { datagram, isToServer in
            if !isToServer, datagram.remote == moved { counts[datagram.bytes, default: 0] += 1 }
        }
        let server = try #require(simulation.server)
        server.write(id, pattern(100, seed: 3), fin: false)
        simulation.run(for: .milliseconds(200))
        #expect(!counts.isEmpty && counts.values.allSatisfy { $0 == 1 }, "\(counts.values)")
        // Once the address is validated, they do.
        simulation.toClient.isCut = false
        simulation.run(for: .seconds(10))
        counts = [:]
        server.write(id, pattern(100, seed: 4), fin: false)
        simulation.flush()
        #expect(Array(counts.values) == [2])
        simulation.onSend = nil
        simulation.run(for: .seconds(1))
        #expect(exchange.atClient[id]?.bytes.readableBytes == 200)
    }
}

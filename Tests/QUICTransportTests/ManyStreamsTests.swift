import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

/// Thousands of streams on one connection.
@Suite struct ManyStreamsTests {
    private static func connected(
        streams: Int, _ change: (inout QUICConfiguration) -> Void = { _ in }
    ) throws -> (Simulation, Exchange, [QUICStreamID]) {
        let configuration = QUICConfiguration.test {
            $0.maxBidiStreams = streams
            $0.initialMaxData = 16_000_000
            $0.initialMaxStreamData = 6_000_000
            change(&$0)
        }
        let simulation = try Simulation.connected(client: configuration, server: configuration)
        let exchange = Exchange(simulation)
        let ids = try (0..<streams).map { _ in try #require(try simulation.client.openStream()) }
        return (simulation, exchange, ids)
    }

    @Test func twoThousandStreamsComeAndGo() throws {
        let (simulation, exchange, ids) = try Self.connected(streams: 2_000)
        exchange.echoes = true
        simulation.toServer.loss = 0.02
        simulation.toClient.loss = 0.02
        #expect(try simulation.client.openStream() == nil)
        for id in ids { simulation.client.write(id, ByteBuffer(string: "device \(id)"), fin: false) }
        #expect(simulation.run { exchange.atClient.count == 2_000 })
        for id in ids { simulation.client.write(id, nil, fin: true) }
        #expect(simulation.run { simulation.client.streams.isEmpty && simulation.server?.streams.isEmpty == true })
        #expect(ids.allSatisfy { exchange.atClient[$0]?.bytes == ByteBuffer(string: "device \($0)") })
        // As many streams again.
        simulation.run(for: .seconds(1))
        for _ in 0..<2_000 { _ = try #require(try simulation.client.openStream()) }
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    /// One stream has many small pieces to send, the other one a large one that could fill each packet.
    @Test func smallPiecesHaveTheirShare() throws {
        let (simulation, exchange, ids) = try Self.connected(streams: 2)
        for _ in 0..<4_000 { simulation.client.write(ids[0], ByteBuffer(repeating: 1, count: 50), fin: false) }
        simulation.client.write(ids[1], ByteBuffer(repeating: 2, count: 4_000_000), fin: false)
        #expect(simulation.run { exchange.atServer[ids[0]]?.bytes.readableBytes == 200_000 })
        let others = exchange.atServer[ids[1]]?.bytes.readableBytes ?? 0
        #expect(others < 400_000, "\(others)")
    }

    /// How long small messages take while 5 MB of another stream are under way or wait for a slow reader.
    @Test(arguments: [true, false])
    func fiveMegabytesOfOneStreamDelayNoOther(areRead: Bool) throws {
        func slowest(bulk: Int) throws -> TimeAmount {
            let (simulation, exchange, ids) = try Self.connected(streams: 21) {
                if !areRead { $0.initialMaxStreamData = 65_536 }
            }
            simulation.client.write(ids[0], ByteBuffer(repeating: 1, count: bulk), fin: false)
            exchange.consumesAtServer = areRead
            var slowest = TimeAmount.zero
            for round in 1...30 {
                let start = simulation.now
                for id in ids.dropFirst() {
                    simulation.client.write(id, ByteBuffer(repeating: 2, count: 50), fin: false)
                }
                let isDelivered = simulation.run(for: .seconds(10)) {
                    ids.dropFirst().allSatisfy { exchange.atServer[$0]?.bytes.readableBytes == 50 * round }
                }
                #expect(isDelivered)
                slowest = max(slowest, simulation.now - start)
                simulation.run(for: .milliseconds(3))
            }
            #expect(simulation.client.bufferedBytes(ids[0]) > 0 || areRead || bulk == 0)
            return slowest
        }
        let (alone, beside) = (try slowest(bulk: 0), try slowest(bulk: 5_000_000))
        #expect(beside.nanoseconds < 2 * alone.nanoseconds, "\(alone) alone, \(beside) beside")
    }

    /// Streams that are given up while they all wait for the connection's credit.
    @Test func streamsThatEndWithoutCreditAreForgotten() throws {
        let (simulation, exchange, ids) = try Self.connected(streams: 500) { $0.initialMaxData = 20_000 }
        exchange.consumesAtServer = false
        for id in ids { simulation.client.write(id, pattern(1_000, seed: 1), fin: true) }
        simulation.run(for: .seconds(2))
        #expect(simulation.client.streams.starvedCount > 400)
        for id in ids.dropLast(10) {
            simulation.client.reset(id, code: 1)
            simulation.server?.reset(id, code: 1)
        }
        simulation.run(for: .seconds(5))
        #expect(simulation.client.streams.count < 500 && simulation.client.streams.starvedCount < 500)
        exchange.consumesAtServer = true
        for (id, received) in exchange.atServer {
            simulation.server?.consumed(id, bytes: received.bytes.readableBytes)
        }
        #expect(simulation.run { ids.suffix(10).allSatisfy { exchange.atServer[$0]?.isFinished == true } })
        #expect(simulation.client.streams.starvedCount == 0)
    }
}

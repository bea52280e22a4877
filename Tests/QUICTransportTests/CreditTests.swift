import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

/// Streams that wait for credit.
@Suite struct CreditTests {
    /// The connection's window is used up, but the end of another stream needs none.
    @Test func anEndNeedsNoCredit() throws {
        let simulation = try Simulation.connected(server: .test { $0.initialMaxData = 12_000 })
        let exchange = Exchange(simulation)
        exchange.consumesAtServer = false
        let stopped = try #require(try simulation.client.openStream())
        let other = try #require(try simulation.client.openStream())
        simulation.client.write(other, ByteBuffer(string: "begun"), fin: false)
        simulation.client.write(stopped, pattern(20_000, seed: 1), fin: true)
        simulation.run(for: .seconds(1))
        simulation.client.write(other, nil, fin: true)
        simulation.flush()
        #expect(simulation.run(for: .milliseconds(100)) { exchange.atServer[other]?.isFinished == true })
        // The waiting stream continues when there is credit.
        exchange.consumesAtServer = true
        simulation.server?.consumed(stopped, bytes: 12_000)
        #expect(simulation.run(for: .seconds(5)) { exchange.atServer[stopped]?.isFinished == true })
        #expect(exchange.atServer[stopped]?.bytes == pattern(20_000, seed: 1))
    }

    /// The peer stops a stream that waits for its credit, so no write would ever find out.
    @Test(arguments: [true, false])
    func aStopIsNoticedWithoutCredit(ofTheStream: Bool) throws {
        let window: UInt64 = 12_000
        let simulation = try Simulation.connected(
            server: .test {
                if ofTheStream { $0.initialMaxStreamData = window } else { $0.initialMaxData = window }
            })
        let exchange = Exchange(simulation)
        exchange.consumesAtServer = false
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, pattern(100_000, seed: 1), fin: true)
        simulation.run(for: .seconds(2))
        #expect(exchange.atServer[id]?.bytes.readableBytes == 12_000)
        simulation.server?.reset(id, code: 5)
        simulation.flush()
        #expect(simulation.run(for: .seconds(2)) { simulation.clientEvents.contains(.streamClosed(id)) })
        #expect(simulation.clientEvents.contains(.stopSending(id, code: nil)))
        #expect(simulation.client.streams.isEmpty)
    }

    /// However many streams wait for credit, each is told at once that the peer has stopped it.
    @Test func manyStopsAreNoticedAtOnce() throws {
        let simulation = try Simulation.connected(
            server: .test {
                $0.maxBidiStreams = 100
                $0.initialMaxStreamData = 100
            })
        let exchange = Exchange(simulation)
        exchange.consumesAtServer = false
        var streams: Set<QUICStreamID> = []
        for _ in 0..<100 {
            let id = try #require(try simulation.client.openStream())
            simulation.client.write(id, pattern(1_000, seed: 1), fin: true)
            streams.insert(id)
        }
        simulation.run(for: .seconds(2))
        for id in streams { simulation.server?.reset(id, code: 5) }
        simulation.run(for: .milliseconds(20))
        let stopped = simulation.clientEvents.compactMap { if case .stopSending(let id, nil) = $0 { id } else { nil } }
        #expect(stopped.count == 100 && Set(stopped) == streams)
        #expect(simulation.run(for: .seconds(2)) { simulation.client.streams.isEmpty })
    }

    @Test func aResetLetsGoOfWhatWasNotSent() throws {
        let simulation = try Simulation.connected(server: .test { $0.initialMaxStreamData = 12_000 })
        let exchange = Exchange(simulation)
        exchange.consumesAtServer = false
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, pattern(5_000, seed: 1), fin: false)
        simulation.client.write(id, pattern(100_000, seed: 2), fin: false)
        simulation.run(for: .seconds(2))
        #expect(simulation.client.bufferedBytes(id) == 93_000)
        simulation.client.write(id, pattern(100_000, seed: 3), fin: true)
        simulation.client.reset(id, code: 5)
        #expect(simulation.client.bufferedBytes(id) == 0)
        #expect(simulation.run(for: .seconds(5)) { simulation.clientEvents.contains(.streamClosed(id)) })
    }
}

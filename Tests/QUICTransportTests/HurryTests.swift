import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct HurryTests {
    private static let configuration = QUICConfiguration.test { $0.idleTimeout = .seconds(120) }

    private static func connected(
        _ configuration: QUICConfiguration = configuration, delay: TimeAmount = .milliseconds(25), seed: UInt64 = 1
    ) throws -> (simulation: Simulation, exchange: Exchange, stream: QUICStreamID) {
        let server = QUICConfiguration.test {
            $0.idleTimeout = configuration.idleTimeout
            $0.initialMaxData = 4_000_000
            $0.initialMaxStreamData = 4_000_000
        }
        return try Simulation.settled(client: configuration, server: server, delay: delay, seed: seed)
    }

    @Test func unansweredDatagramsAreReported() throws {
        let (simulation, _, id) = try Self.connected()
        let client = simulation.client
        #expect(client.unansweredSince == nil)
        #expect(simulation.now - client.lastReceived > .milliseconds(100))
        #expect(client.probeTimeout > .milliseconds(50) && client.probeTimeout < .milliseconds(250))
        let start = simulation.now
        client.write(id, ByteBuffer(string: "one"), fin: false)
        simulation.flush()
        #expect(client.unansweredSince == start)
        simulation.run(for: .milliseconds(20))
        client.write(id, ByteBuffer(string: "two"), fin: false)
        simulation.flush()
        #expect(client.unansweredSince == start)
        #expect(simulation.run(for: .seconds(1)) { client.unansweredSince == nil })
        #expect(simulation.now - start <= .milliseconds(76))
        #expect(client.lastReceived == simulation.now)
        // Nothing but acknowledgements goes out, and those are not answered.
        let received = client.lastReceived
        let other = try #require(simulation.server)
        other.write(id, ByteBuffer(string: "from the server"), fin: false)
        #expect(simulation.run(for: .seconds(1)) { client.lastReceived > received })
        simulation.run(for: .seconds(1))
        #expect(client.unansweredSince == nil)
    }

    @Test func strangersDoNotAnswer() throws {
        let (simulation, _, id) = try Self.connected()
        simulation.toServer.isCut = true
        let start = simulation.now
        simulation.client.write(id, ByteBuffer(string: "one"), fin: false)
        simulation.run(for: .milliseconds(200))
        var header = try #require(simulation.client.connectionIDs.first?.bytes)
        header.insert(0x40, at: 0)
        simulation.client.receive(
            ByteBuffer(bytes: header + [UInt8](repeating: 1, count: 60)), from: Simulation.serverAddress,
            to: Simulation.clientAddress, at: simulation.now)
        #expect(simulation.client.unansweredSince == start)
        #expect(simulation.client.lastReceived < start)
    }

    @Test func probesOfTheDatagramSizeMayVanish() throws {
        let simulation = try Simulation(client: Self.configuration, server: Self.configuration)
        simulation.toServer.maximumSize = 1_250
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        var longest = TimeAmount.zero
        for _ in 0..<2_000 {
            simulation.run(for: .milliseconds(5))
            if let since = simulation.client.unansweredSince { longest = max(longest, simulation.now - since) }
        }
        #expect(longest <= .milliseconds(60), "\(longest)")
    }

    private struct Recovery {
        /// Measured from the end of the outage.
        var first: TimeAmount?
        var all: TimeAmount?
        var smoothedRTT = Duration.zero
    }

    /// Everything vanishes for that long, with up to `bytes` under way, as far as the congestion window allows.
    private static func recovery(outage: TimeAmount, bytes: Int, hurries: Bool) throws -> Recovery {
        let (simulation, exchange, id) = try connected()
        let before = exchange.atServer[id]?.bytes.readableBytes ?? 0
        simulation.toServer.isCut = true
        simulation.toClient.isCut = true
        simulation.client.write(id, pattern(bytes, seed: 2), fin: true)
        simulation.run(for: outage)
        simulation.toServer.isCut = false
        simulation.toClient.isCut = false
        let end = simulation.now
        if hurries { simulation.client.hurry(at: simulation.now) }
        var recovery = Recovery()
        simulation.run(for: .seconds(60)) {
            let count = exchange.atServer[id]?.bytes.readableBytes ?? 0
            if count > before, recovery.first == nil { recovery.first = simulation.now - end }
            if exchange.atServer[id]?.isFinished == true { recovery.all = simulation.now - end }
            return recovery.all != nil
        }
        #expect(simulation.clientError == nil)
        #expect(exchange.atServer[id]?.bytes.readableBytes == before + bytes)
        recovery.smoothedRTT = simulation.client.statistics.smoothedRTT
        return recovery
    }

    /// The time limit is what a sender with this window needs on a new link, and a few round trips. From 1.0 on, ngtcp2
    /// takes such an outage for persistent congestion (RFC 9002 7.6): the window shrinks to two datagrams, and the
    /// round trip is no longer known.
    @Test(
        arguments: [10, 30, 60],
        [(500, 100, 100), (20_000, 250, 300), (100_000, 350, 450), (1_000_000, 1_500, 1_800)])
    func aHurriedConnectionIsBackAtOnce(seconds: Int64, work: (bytes: Int, limit: Int64, anew: Int64)) throws {
        let hurried = try Self.recovery(outage: .seconds(seconds), bytes: work.bytes, hurries: true)
        let alone = try Self.recovery(outage: .seconds(seconds), bytes: work.bytes, hurries: false)
        let limit = Simulation.isVersion0 ? work.limit : work.anew
        // A PING and its answer, or a probe, and then what was lost, take one and a half round trips.
        #expect(try #require(hurried.first) <= .milliseconds(80), "\(hurried)")
        #expect(try #require(hurried.all) <= .milliseconds(limit), "\(hurried)")
        #expect(try #require(alone.first) > .seconds(2), "\(alone)")
        // The time by which the connection ran ahead does not count as part of a round trip.
        let initialRTT = Duration.milliseconds(333)
        let isKnown = Simulation.isVersion0 || work.bytes > 500
        let expected = isKnown ? Duration.milliseconds(45)...(.milliseconds(60)) : initialRTT...initialRTT
        #expect(expected.contains(hurried.smoothedRTT), "\(hurried)")
    }

    /// Something went out just before the hurry and was lost, and pacing delays what may follow.
    @Test(arguments: 0..<20)
    func aHurryAfterABurstIsHeeded(microseconds: Int64) throws {
        let (simulation, exchange, id) = try Self.connected()
        simulation.toServer.isCut = true
        simulation.toClient.isCut = true
        simulation.client.write(id, pattern(100, seed: 2), fin: false)
        simulation.run(for: .seconds(10))
        simulation.client.write(id, pattern(2_400, seed: 2), fin: true)
        simulation.flush()
        simulation.toServer.isCut = false
        simulation.toClient.isCut = false
        simulation.run(for: .microseconds(microseconds * 500))
        let start = simulation.now
        simulation.client.hurry(at: start)
        #expect(simulation.run(for: .seconds(5)) { exchange.atServer[id]?.isFinished == true })
        #expect(simulation.now - start <= .milliseconds(150), "\((simulation.now - start).nanoseconds / 1_000_000) ms")
    }

    /// With a full window and no peer, the idle timeout comes exactly when it is due.
    @Test(arguments: [1_000, 1_000_000])
    func aHurryNeverEndsAConnection(bytes: Int) throws {
        let configuration = QUICConfiguration.test { $0.idleTimeout = .seconds(20) }
        let (simulation, _, id) = try Self.connected(configuration)
        simulation.toServer.isCut = true
        simulation.toClient.isCut = true
        let received = simulation.client.lastReceived
        simulation.client.write(id, pattern(bytes, seed: 2), fin: true)
        while simulation.clientError == nil, simulation.now < received + .seconds(60) {
            simulation.client.hurry(at: simulation.now)
            simulation.run(for: .milliseconds(50))
        }
        #expect(simulation.clientError == .idleTimeout(remote: "10.0.0.2:14567", after: .seconds(20)))
        #expect(simulation.now - received >= .seconds(20))
        #expect(simulation.now - received <= .seconds(21))
    }

    /// A connection that is hurried all the time differs from another one only by an occasional PING.
    @Test(arguments: [0, 0.05], 0..<3)
    func hurriesDoNoHarm(loss: Double, seed: UInt64) throws {
        let (simulation, exchange, id) = try Self.connected(seed: seed)
        simulation.toServer.loss = loss
        simulation.toClient.loss = loss
        let before = simulation.client.statistics.datagramsSent
        simulation.client.write(id, pattern(300_000, seed: seed), fin: false)
        for round in 0..<200 {
            simulation.client.hurry(at: simulation.now)
            simulation.server?.hurry(at: simulation.now)
            simulation.client.write(id, ByteBuffer(string: "message "), fin: round == 199)
            simulation.run(for: .milliseconds(30))
        }
        #expect(simulation.run(for: .seconds(10)) { exchange.atServer[id]?.isFinished == true })
        #expect(exchange.atServer[id]?.bytes.readableBytes == 60_000 + 300_000 + 1_600)
        let statistics = simulation.client.statistics
        #expect(statistics.smoothedRTT < .milliseconds(loss == 0 ? 60 : 120), "\(statistics.smoothedRTT)")
        #expect(statistics.datagramsSent - before < 1_500)
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    /// A probe went out just before, with a full window. Whether it arrives or not, the measured round trip stays
    /// right.
    @Test(arguments: [true, false])
    func aHurryWaitsForWhatIsUnderWay(arrives: Bool) throws {
        let (simulation, exchange, id) = try Self.connected()
        let before = exchange.atServer[id]?.bytes.readableBytes ?? 0
        simulation.toServer.isCut = true
        simulation.client.write(id, pattern(200_000, seed: 2), fin: true)
        simulation.run(for: .seconds(8))
        let sent = simulation.sent.toServer
        simulation.onSend = { [unowned simulation] _, isToServer in
            if isToServer, arrives { simulation.toServer.isCut = false }
        }
        #expect(simulation.run(for: .seconds(20)) { simulation.sent.toServer > sent })
        simulation.onSend = nil
        simulation.toServer.isCut = false
        let start = simulation.now
        simulation.client.hurry(at: start)
        simulation.flush()
        #expect(simulation.sent.toServer <= sent + 2)
        #expect(
            simulation.run(for: .seconds(5)) { exchange.atServer[id]?.bytes.readableBytes ?? 0 > before })
        #expect(simulation.now - start <= .milliseconds(300), "\(simulation.now - start)")
        #expect(simulation.run(for: .seconds(5)) { exchange.atServer[id]?.isFinished == true })
        #expect(simulation.client.statistics.smoothedRTT < .milliseconds(70))
    }

    @Test func anIdleConnectionIsAskedToo() throws {
        let (simulation, _, _) = try Self.connected()
        simulation.run(for: .seconds(5))
        let sent = simulation.sent.toServer
        let start = simulation.now
        for _ in 0..<3 { simulation.client.hurry(at: simulation.now) }
        simulation.flush()
        #expect(simulation.sent.toServer == sent + 1)
        #expect(simulation.client.unansweredSince == start)
        #expect(simulation.run(for: .milliseconds(100)) { simulation.client.unansweredSince == nil })
        // It is heeded again after a tenth of a second, but not before.
        let answered = simulation.sent.toServer
        simulation.client.hurry(at: start + .milliseconds(99))
        simulation.flush()
        #expect(simulation.sent.toServer == answered)
        simulation.client.hurry(at: start + .milliseconds(100))
        simulation.flush()
        #expect(simulation.sent.toServer == answered + 1)
        // The keep-alive interval, if there is one, has not changed.
        simulation.run(for: .seconds(20))
        #expect(simulation.sent.toServer <= answered + 2)
    }

    @Test func beforeTheHandshakeThereIsNoHurry() throws {
        let simulation = try Simulation()
        simulation.toServer.isCut = true
        for _ in 0..<200 {
            simulation.client.hurry(at: simulation.now)
            simulation.run(for: .milliseconds(40))
        }
        #expect(simulation.clientError == nil)
        #expect(simulation.sent.toServer < 20)
        #expect(simulation.client.unansweredSince != nil)
        simulation.run(for: .seconds(3))
        #expect(simulation.clientError == .noAnswer(remote: "10.0.0.2:14567", after: .seconds(10)))
        simulation.client.hurry(at: simulation.now)
    }
}

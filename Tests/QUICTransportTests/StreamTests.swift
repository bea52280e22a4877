import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

@Suite struct StreamTests {
    @Test func bytesGoBothWays() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        #expect(id == QUICStreamID(rawValue: 0))
        #expect(id.isBidirectional && id.isClientInitiated)
        simulation.client.write(id, ByteBuffer(string: "hello"), fin: true)
        #expect(simulation.client.bufferedBytes(id) == 5)
        #expect(simulation.run(for: .seconds(1)) { exchange.atServer[id]?.isFinished == true })
        #expect(exchange.atServer[id]?.bytes == ByteBuffer(string: "hello"))
        simulation.server?.write(id, ByteBuffer(string: "goodbye"), fin: true)
        #expect(simulation.run(for: .seconds(1)) { simulation.clientEvents.last == .streamClosed(id) })
        #expect(exchange.atClient[id]?.bytes == ByteBuffer(string: "goodbye"))
        #expect(simulation.client.bufferedBytes(id) == 0)
        #expect(simulation.serverEvents.contains(.streamOpened(id)))
        simulation.run(for: .seconds(1))
        #expect(simulation.serverEvents.contains(.streamClosed(id)))
        #expect(simulation.clientEvents.contains(.streamDrained(id, bytes: 5)))
    }

    @Test(arguments: [QUICConfiguration.CongestionControl.cubic, .bbr])
    func aMegabyteBothWaysAtTenPercentLoss(control: QUICConfiguration.CongestionControl) throws {
        let configuration = QUICConfiguration.test { $0.congestionControl = control }
        let simulation = try Simulation(client: configuration, server: configuration, seed: 7)
        simulation.toServer.loss = 0.1
        simulation.toClient.loss = 0.1
        try expectExchange(of: 1_000_000, on: simulation)
        #expect(simulation.client.statistics.packetsLost > 20)
    }

    @Test func reorderingAndDuplicationDoNoHarm() throws {
        let simulation = try Simulation(seed: 8)
        for link in [\Simulation.toServer, \Simulation.toClient] {
            simulation[keyPath: link].jitter = .milliseconds(30)
            simulation[keyPath: link].duplication = 0.2
        }
        try expectExchange(of: 300_000, on: simulation)
    }

    @Test(arguments: 1...6)
    func everythingAtOnce(seed: UInt64) throws {
        let simulation = try Simulation(retry: seed.isMultiple(of: 2) ? .always : .never, seed: seed)
        for link in [\Simulation.toServer, \Simulation.toClient] {
            simulation[keyPath: link] = Link(
                delay: .milliseconds(40), jitter: .milliseconds(20), loss: 0.15, duplication: 0.1, maximumSize: 1400)
        }
        try expectExchange(of: 100_000, on: simulation)
    }

    private func expectExchange(of count: Int, on simulation: Simulation) throws {
        let exchange = Exchange(simulation)
        #expect(simulation.run { simulation.client.isHandshakeCompleted })
        let id = try #require(try simulation.client.openStream())
        let (up, down) = (pattern(count, seed: 1), pattern(count, seed: 2))
        simulation.client.write(id, up, fin: true)
        simulation.run {
            simulation.server?.isHandshakeCompleted == true && simulation.serverEvents.contains(.streamOpened(id))
        }
        simulation.server?.write(id, down, fin: true)
        #expect(
            simulation.run(for: .seconds(300)) {
                exchange.atServer[id]?.isFinished == true && exchange.atClient[id]?.isFinished == true
            })
        #expect(exchange.atServer[id]?.bytes == up)
        #expect(exchange.atClient[id]?.bytes == down)
        #expect(simulation.run(for: .seconds(60)) { simulation.clientEvents.contains(.streamClosed(id)) })
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    @Test func whatIsNotConsumedStopsTheSender() throws {
        let simulation = try Simulation.connected(server: .test { $0.initialMaxStreamData = 10_000 })
        let exchange = Exchange(simulation)
        exchange.consumesAtServer = false
        let id = try #require(try simulation.client.openStream())
        let bytes = pattern(35_000, seed: 3)
        simulation.client.write(id, bytes, fin: true)
        simulation.run(for: .seconds(5))
        #expect(exchange.atServer[id]?.bytes.readableBytes == 10_000)
        #expect(simulation.client.bufferedBytes(id) == 25_000)
        // ngtcp2 announces credit to the peer when it is more than half a window.
        for (consumed, total) in [(6_000, 16_000), (19_000, 35_000)] {
            simulation.server?.consumed(id, bytes: consumed)
            simulation.run(for: .seconds(5))
            #expect(exchange.atServer[id]?.bytes.readableBytes == total)
        }
        #expect(exchange.atServer[id]?.bytes == bytes)
        #expect(exchange.atServer[id]?.isFinished == true)
        #expect(simulation.client.bufferedBytes(id) == 0)
    }

    @Test func theConnectionsCreditHoldsForAllStreamsTogether() throws {
        let simulation = try Simulation.connected(server: .test { $0.initialMaxData = 12_000 })
        let exchange = Exchange(simulation)
        exchange.consumesAtServer = false
        let ids = try (0..<3).compactMap { _ in try simulation.client.openStream() }
        for id in ids {
            simulation.client.write(id, pattern(10_000, seed: 4), fin: true)
        }
        simulation.run(for: .seconds(5))
        let received = ids.map { exchange.atServer[$0]?.bytes.readableBytes ?? 0 }
        #expect(received.reduce(0, +) == 12_000)
        #expect(received.allSatisfy { $0 > 2_000 }, "\(received)")
        exchange.consumesAtServer = true
        for (id, count) in zip(ids, received) {
            simulation.server?.consumed(id, bytes: count)
        }
        simulation.run(for: .seconds(5))
        #expect(ids.allSatisfy { exchange.atServer[$0]?.bytes == pattern(10_000, seed: 4) })
    }

    @Test func aStreamLimitOpensUpAsStreamsEnd() throws {
        let simulation = try Simulation.connected(server: .test { $0.maxBidiStreams = 3 })
        let exchange = Exchange(simulation)
        exchange.echoes = true
        var ids: [QUICStreamID] = []
        var openings = 0
        func open() {
            openings += 1
            while ids.count < 40, let id = try? simulation.client.openStream() {
                ids.append(id)
                simulation.client.write(id, ByteBuffer(string: "stream \(id)"), fin: true)
            }
        }
        exchange.onClientEvent = { event in
            if event == .streamsAvailable { open() }
        }
        open()
        #expect(ids.count == 3)
        #expect(simulation.run { exchange.atClient.values.filter(\.isFinished).count == 40 })
        #expect(ids.allSatisfy { exchange.atClient[$0]?.bytes == ByteBuffer(string: "stream \($0)") })
        #expect(openings > 10)
        exchange.onClientEvent = nil
    }

    @Test func streamsShareTheConnectionFairly() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        let ids = try (0..<4).compactMap { _ in try simulation.client.openStream() }
        for id in ids {
            simulation.client.write(id, pattern(200_000, seed: 5), fin: false)
        }
        simulation.run { exchange.atServer.values.contains { $0.bytes.readableBytes > 100_000 } }
        let received = ids.map { exchange.atServer[$0]?.bytes.readableBytes ?? 0 }
        #expect(received.allSatisfy { $0 > 80_000 }, "\(received)")
    }

    @Test func smallWritesOfManyStreamsShareADatagram() throws {
        let simulation = try Simulation.connected()
        let ids = try (0..<10).compactMap { _ in try simulation.client.openStream() }
        simulation.run(for: .seconds(1))
        let before = simulation.sent.toServer
        for id in ids {
            simulation.client.write(id, ByteBuffer(string: "12345678901234567890"), fin: false)
        }
        simulation.flush()
        #expect(simulation.sent.toServer - before == 1)
    }

    @Test func aResetReachesThePeer() throws {
        let simulation = try Simulation.connected()
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "begun"), fin: false)
        simulation.run(for: .seconds(1))
        simulation.client.reset(id, code: 0x17)
        simulation.client.write(id, ByteBuffer(string: "ignored"), fin: true)
        simulation.run(for: .seconds(1))
        #expect(simulation.serverEvents.contains(.streamReset(id, code: 0x17)))
        // STOP_SENDING makes ngtcp2 reset the other direction by itself.
        #expect(simulation.clientEvents.contains(.streamReset(id, code: 0x17)))
        #expect(simulation.clientEvents.contains(.streamClosed(id)))
        #expect(simulation.client.bufferedBytes(id) == 0)
        #expect(simulation.serverEvents.contains(.streamClosed(id)))
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    /// The first thing that the server learns of the stream is its end.
    @Test(arguments: [0.0, 0.3], [true, false])
    func aStreamThatIsResetAtOnceCloses(loss: Double, isWritten: Bool) throws {
        let simulation = try Simulation.connected(seed: 9)
        simulation.toServer.loss = loss
        for _ in 0..<40 {
            let id = try #require(try simulation.client.openStream())
            if isWritten { simulation.client.write(id, ByteBuffer(string: "CONNECT"), fin: false) }
            if loss > 0 { simulation.flush() }
            simulation.client.reset(id, code: 3)
            #expect(simulation.run(for: .seconds(10)) { simulation.clientEvents.contains(.streamClosed(id)) })
        }
        simulation.run(for: .seconds(5))
        #expect(simulation.client.streams.isEmpty && simulation.server?.streams.isEmpty == true)
        let opened = simulation.serverEvents.compactMap { if case .streamOpened(let id) = $0 { id } else { nil } }
        let ended = simulation.serverEvents.compactMap { if case .streamClosed(let id) = $0 { id } else { nil } }
        let reset = simulation.serverEvents.compactMap { if case .streamReset(let id, 3) = $0 { id } else { nil } }
        #expect(Set(opened) == Set(ended) && Set(opened) == Set(reset))
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    @Test func aPeerThatStopsReadingIsNoticedAtTheNextWrite() throws {
        let simulation = try Simulation.connected()
        simulation.toClient.delay = .milliseconds(1)
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "begun"), fin: false)
        simulation.run(for: .seconds(1))
        // The server's RESET_STREAM is lost, so the stream is not closed at once.
        simulation.server?.reset(id, code: 5)
        simulation.flush()
        simulation.toServer.isCut = true
        simulation.run(for: .milliseconds(20))
        simulation.client.write(id, ByteBuffer(string: "more"), fin: false)
        simulation.flush()
        simulation.toServer.isCut = false
        simulation.run(for: .seconds(3))
        #expect(simulation.clientEvents.contains(.stopSending(id, code: nil)))
        #expect(simulation.clientEvents.contains(.streamReset(id, code: 5)))
        #expect(simulation.clientEvents.contains(.streamClosed(id)))
    }

    @Test func bytesStayWhereTheyAreThoughTheirOwnerWrites() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        var buffer = ByteBuffer(string: "first")
        simulation.client.write(id, buffer, fin: false)
        buffer.setString("SECOND", at: 0)
        buffer.clear()
        buffer.writeString("third")
        simulation.client.write(id, buffer, fin: true)
        simulation.run(for: .seconds(1))
        #expect(exchange.atServer[id]?.bytes == ByteBuffer(string: "firstthird"))
    }

    @Test func nothingIsSentForAStreamThatIsNotThere() throws {
        let simulation = try Simulation.connected()
        simulation.run(for: .seconds(1))
        let id = QUICStreamID(rawValue: 400)
        let before = simulation.sent.toServer
        simulation.client.write(id, ByteBuffer(string: "x"), fin: true)
        simulation.client.reset(id, code: 1)
        simulation.client.consumed(QUICStreamID(rawValue: -5), bytes: 10)
        #expect(simulation.client.bufferedBytes(id) == 0)
        simulation.flush()
        #expect(simulation.sent.toServer == before)
        #expect(try Simulation().client.openStream() == nil)
    }
}

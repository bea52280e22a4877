import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

@Suite struct LifetimeTests {
    @Test func theIdleTimeoutEndsTheConnectionWithoutAPacket() throws {
        let simulation = try Simulation.connected(client: .test { $0.idleTimeout = .seconds(3) })
        simulation.run(for: .seconds(1))
        let sent = simulation.sent
        let start = simulation.now
        simulation.run { simulation.clientError != nil }
        #expect(simulation.now - start > .milliseconds(1500))
        #expect(simulation.now - start <= .seconds(3))
        #expect(simulation.clientError == .idleTimeout(remote: "10.0.0.2:14567", after: .seconds(3)))
        #expect(simulation.client.isClosed)
        simulation.run(for: .seconds(5))
        // The client's timeout also applies to the server, whose own is 30 s.
        #expect(simulation.serverError == .idleTimeout(remote: "10.0.0.1:40000", after: .seconds(3)))
        #expect(simulation.server?.isClosed == true)
        #expect(simulation.sent == sent)
    }

    @Test func keepAliveHoldsItOpen() throws {
        let simulation = try Simulation.connected(
            client: .test {
                $0.idleTimeout = .seconds(3)
                $0.keepAlive = .seconds(1)
            })
        simulation.run(for: .seconds(120))
        #expect(simulation.clientError == nil)
        #expect(simulation.serverError == nil)
        #expect((100...260).contains(simulation.sent.toServer), "\(simulation.sent)")
        simulation.toServer.isCut = true
        simulation.run(for: .seconds(10))
        #expect(simulation.clientError == .idleTimeout(remote: "10.0.0.2:14567", after: .seconds(3)))
    }

    @Test func thePeerSeesTheApplicationsCode() throws {
        let simulation = try Simulation.connected()
        simulation.client.close(applicationCode: 0x38e, reason: "taken\nover", at: simulation.now)
        #expect(!simulation.client.isClosed)
        simulation.run(for: .milliseconds(11))
        #expect(simulation.clientError == .localClose(code: 0x38e, reason: "taken\nover"))
        #expect(simulation.serverError == .applicationClosed(code: 0x38e, reason: "taken over"))
        #expect(
            simulation.serverError?.description
                == "the peer closed the connection with application code 910: taken over")
        simulation.run(for: .seconds(2))
        #expect(simulation.client.isClosed && simulation.server?.isClosed == true)
        #expect(simulation.client.deadline == nil && simulation.client.nextEvent() == nil)
    }

    @Test func aClosedConnectionTakesNoCalls() throws {
        let simulation = try Simulation.connected()
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "lost"), fin: false)
        simulation.client.close(applicationCode: 0, reason: "", at: simulation.now)
        simulation.client.close(applicationCode: 1, reason: "", at: simulation.now)
        simulation.client.write(id, ByteBuffer(string: "late"), fin: true)
        simulation.client.consumed(id, bytes: 4)
        simulation.client.reset(id, code: 4)
        #expect(simulation.client.bufferedBytes(id) == 0)
        #expect(throws: QUICError.self) { try simulation.client.openStream() }
        #expect(throws: QUICError.self) { try simulation.client.initiateKeyUpdate(at: simulation.now) }
        #expect(throws: QUICError.self) {
            try simulation.client.migrate(to: Simulation.clientAddress, at: simulation.now)
        }
        simulation.run(for: .seconds(2))
        #expect(simulation.clientEvents.filter { if case .closed = $0 { true } else { false } }.count == 1)
        #expect(simulation.serverError == .applicationClosed(code: 0, reason: ""))
    }

    @Test func aLostCloseIsRepeated() throws {
        let simulation = try Simulation.connected()
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "x"), fin: false)
        simulation.run(for: .seconds(1))
        simulation.toServer.isCut = true
        simulation.client.close(applicationCode: 2, reason: "", at: simulation.now)
        simulation.flush()
        simulation.toServer.isCut = false
        simulation.server?.write(id, ByteBuffer(string: "are you there?"), fin: false)
        simulation.run(for: .milliseconds(100))
        #expect(simulation.serverError == .applicationClosed(code: 2, reason: ""))
    }

    @Test func aCloseBeforeTheFirstDatagramSaysNothing() throws {
        let simulation = try Simulation()
        simulation.client.close(applicationCode: 0, reason: "", at: simulation.now)
        #expect(simulation.client.isClosed)
        #expect(simulation.client.nextDatagram(at: simulation.now) == nil)
        #expect(simulation.client.nextEvent() == .closed(.localClose(code: 0, reason: "")))
        #expect(simulation.client.nextEvent() == nil)
    }

    @Test func aCloseDuringTheHandshakeReachesTheServer() throws {
        let simulation = try Simulation()
        simulation.run { simulation.server != nil }
        simulation.client.close(applicationCode: 3, reason: "secret", at: simulation.now)
        simulation.run(for: .milliseconds(50))
        // Before the handshake is complete, neither the application's code nor its reason may be sent (RFC 9000
        // 10.2.3).
        guard case .transportError(0xc, _, isRemote: true)? = simulation.serverError else {
            Issue.record("\(String(describing: simulation.serverError))")
            return
        }
    }

    @Test func aServerThatForgotResetsTheConnection() throws {
        let simulation = try Simulation.connected()
        simulation.run(for: .seconds(1))
        simulation.forgetServer()
        let id = try #require(try simulation.client.openStream())
        var reset: QUICDatagram?
        simulation.onSend = { datagram, isToServer in
            if !isToServer { reset = datagram }
        }
        simulation.client.write(id, ByteBuffer(repeating: 1, count: 100), fin: false)
        simulation.run(for: .milliseconds(25))
        #expect(simulation.clientError == .statelessReset)
        let bytes = try #require(reset?.bytes)
        #expect(bytes.readableBytes == 43)
        #expect(simulation.client.isStatelessReset(bytes))
        #expect(!simulation.client.isStatelessReset(pattern(43, seed: 1)))
        #expect(!simulation.client.isStatelessReset(ByteBuffer()))
        #expect(
            simulation.clientError?.description
                == "the broker no longer knows this connection (stateless reset): was it restarted?")
    }

    @Test func keysAreUpdated() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        exchange.echoes = true
        let id = try #require(try simulation.client.openStream())
        for round in 1...4 {
            // ngtcp2 prepares the next keys while packets are exchanged, some time after the last update.
            simulation.client.write(id, ByteBuffer(string: "before, "), fin: false)
            simulation.run(for: .seconds(1))
            let side = round.isMultiple(of: 2) ? simulation.server : simulation.client
            try #require(side).initiateKeyUpdate(at: simulation.now)
            simulation.client.write(id, ByteBuffer(string: "after. "), fin: false)
            simulation.run(for: .seconds(1))
        }
        #expect(exchange.atClient[id]?.bytes == ByteBuffer(string: String(repeating: "before, after. ", count: 4)))
        simulation.client.write(id, ByteBuffer(string: "x"), fin: false)
        simulation.run(for: .seconds(1))
        try simulation.client.initiateKeyUpdate(at: simulation.now)
        #expect(throws: QUICError.notPossibleNow(operation: "key update", why: "the last one is too recent")) {
            try simulation.client.initiateKeyUpdate(at: simulation.now)
        }
        #expect(throws: QUICError.notPossibleNow(operation: "key update", why: "the handshake is not confirmed")) {
            try Simulation().client.initiateKeyUpdate(at: simulation.now)
        }
    }

    @Test func statisticsTell() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, pattern(50_000, seed: 1), fin: true)
        simulation.run(for: .seconds(2)) { exchange.atServer[id]?.isFinished == true }
        let statistics = simulation.client.statistics
        #expect(statistics.smoothedRTT > .milliseconds(19) && statistics.smoothedRTT < .milliseconds(30))
        #expect(statistics.minRTT > .milliseconds(19) && statistics.minRTT < .milliseconds(22))
        #expect(statistics.congestionWindow > 10_000)
        #expect(statistics.bytesSent > 50_000)
        #expect(statistics.datagramsSent == UInt64(simulation.sent.toServer))
        #expect(statistics.packetsLost == 0)
        let received = try #require(simulation.server?.statistics)
        #expect(received.bytesReceived > 50_000 && received.bytesReceived <= statistics.bytesSent)
    }

    @Test func freedInTheMiddleOfThings() throws {
        let bytes = pattern(100_000, seed: 1)
        for round in 0..<60 {
            let simulation = try Simulation(seed: UInt64(round))
            simulation.toServer.loss = 0.1
            simulation.onClientEvent = { [unowned simulation] event in
                guard case .handshakeCompleted = event else { return }
                if let id = try? simulation.client.openStream() {
                    simulation.client.write(id, bytes, fin: true)
                }
            }
            simulation.run(for: .milliseconds(Int64(round * 3)))
            if round.isMultiple(of: 3) {
                simulation.client.close(applicationCode: 0, reason: "", at: simulation.now)
            }
        }
    }

    @Test func objectsGoWithTheirLastReference() throws {
        weak var client: QUICConnection?
        weak var server: QUICConnection?
        do {
            let simulation = try Simulation.connected()
            client = simulation.client
            server = simulation.server
            let id = try #require(try simulation.client.openStream())
            simulation.client.write(id, ByteBuffer(repeating: 7, count: 10_000), fin: false)
            simulation.flush()
            simulation.toServer.isCut = true
            #expect(client != nil && server != nil)
        }
        #expect(client == nil && server == nil)
    }
}

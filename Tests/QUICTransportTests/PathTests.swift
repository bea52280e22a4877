import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct PathTests {
    @Test func discoveryRaisesTheDatagramSize() throws {
        let simulation = try Simulation.connected()
        simulation.run(for: .seconds(10))
        #expect(simulation.client.statistics.datagramSize > 1400)
        #expect(simulation.server?.statistics.datagramSize ?? 0 > 1400)
    }

    /// Whoever waits for the result of path MTU discovery sees that it has come to its end.
    @Test(arguments: [(1_300, 1_232), (1_400, 1_342), (65_535, 1_444)])
    func theSearchForTheDatagramSizeEnds(maximumSize: Int, size: Int) throws {
        let simulation = try Simulation()
        simulation.toServer.maximumSize = maximumSize
        simulation.run(for: .seconds(30))
        let probes = simulation.client.statistics.sizeProbesSent
        #expect(simulation.client.statistics.datagramSize == size)
        #expect(maximumSize == 65_535 ? probes == 2 : (4...12).contains(probes))
        simulation.run(for: .seconds(30))
        #expect(simulation.client.statistics.sizeProbesSent == probes)
    }

    @Test func discoveryRespectsAHole() throws {
        let simulation = try Simulation(client: .test(), server: .test())
        simulation.toServer.maximumSize = 1300
        let exchange = Exchange(simulation)
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        simulation.run(for: .seconds(20))
        #expect((1200...1300).contains(simulation.client.statistics.datagramSize))
        #expect(simulation.server?.statistics.datagramSize ?? 0 > 1400)
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, pattern(100_000, seed: 1), fin: true)
        #expect(simulation.run(for: .seconds(10)) { exchange.atServer[id]?.isFinished == true })
    }

    @Test func theSizeKeepsToItsLimits() throws {
        var largest = 0
        for change: @Sendable (inout QUICConfiguration) -> Void in [
            { $0.pathMTUDiscovery = false }, { $0.maximumDatagramSize = 1200 }, { $0.maximumDatagramSize = 0 },
        ] {
            let simulation = try Simulation(client: .test(change))
            simulation.onSend = { datagram, isToServer in
                if isToServer { largest = max(largest, datagram.bytes.readableBytes) }
            }
            simulation.run(for: .seconds(10))
            #expect(simulation.client.isHandshakeConfirmed)
        }
        #expect(largest == 1200)
    }

    @Test func aClientMovesToAnotherAddress() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        exchange.echoes = true
        simulation.run(for: .seconds(1))
        let id = try #require(try simulation.client.openStream())
        for port in [40_001, 40_002, 40_003, 40_004, 40_005, 40_006] {
            let address = Simulation.address("10.0.0.7", port)
            try simulation.client.migrate(to: address, at: simulation.now)
            #expect(throws: QUICError.notPossibleNow(operation: "migration", why: "the last one is too recent")) {
                try simulation.client.migrate(to: Simulation.address("10.0.0.8", 1), at: simulation.now)
            }
            simulation.client.write(id, ByteBuffer(string: "from \(port) "), fin: false)
            simulation.run(for: .seconds(5))
            #expect(simulation.clientEvents.contains(.pathChanged(local: address, remote: Simulation.serverAddress)))
            #expect(simulation.client.localAddress == address)
            #expect(simulation.server?.remoteAddress == address)
        }
        #expect(exchange.atClient[id]?.bytes.readableBytes == 66)
        #expect(simulation.clientError == nil && simulation.serverError == nil)
        let issued = simulation.serverEvents.filter { if case .connectionIDIssued = $0 { true } else { false } }.count
        let retired = simulation.serverEvents.filter { if case .connectionIDRetired = $0 { true } else { false } }.count
        #expect(issued > 6 && retired >= 6)
        #expect(Set(simulation.server?.connectionIDs ?? []).count == simulation.server?.connectionIDs.count)
    }

    @Test func aPathThatDoesNotAnswerIsGivenUp() throws {
        let simulation = try Simulation.connected()
        simulation.run(for: .seconds(1))
        let address = Simulation.address("10.0.0.7", 40_001)
        simulation.dropsFrom = address
        try simulation.client.migrate(to: address, at: simulation.now)
        simulation.run(for: .seconds(10))
        #expect(simulation.clientEvents.last == .pathFailed(local: address, remote: Simulation.serverAddress))
        #expect(simulation.client.localAddress == Simulation.clientAddress)
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "still here"), fin: true)
        #expect(simulation.run(for: .seconds(1)) { exchange.atServer[id]?.isFinished == true })
    }

    @Test func aRebindingNATIsFollowed() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        exchange.echoes = true
        simulation.run(for: .seconds(1))
        simulation.clientAppearsAs = Simulation.address("10.0.0.1", 50_000)
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "hello"), fin: true)
        #expect(simulation.run(for: .seconds(5)) { exchange.atClient[id]?.isFinished == true })
        #expect(simulation.server?.remoteAddress.port == 50_000)
    }

    /// A device stays connected for days behind a NAT that gives it another port whenever it has sent nothing for a
    /// while.
    @Test(arguments: [0.0, 0.05])
    func aNATThatRebindsAgainAndAgainIsFollowed(loss: Double) throws {
        let configuration = QUICConfiguration.test { $0.idleTimeout = .seconds(300) }
        let simulation = try Simulation.connected(client: configuration, server: configuration, seed: 3)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        simulation.toServer.loss = loss
        simulation.toClient.loss = loss
        let id = try #require(try simulation.client.openStream())
        for round in 1...40 {
            simulation.clientAppearsAs = Simulation.address("10.0.0.1", 50_000 + round)
            simulation.client.write(id, ByteBuffer(string: "PINGREQ "), fin: false)
            #expect(simulation.run(for: .seconds(10)) { exchange.atClient[id]?.bytes.readableBytes == 8 * round })
            #expect(simulation.server?.remoteAddress.port == 50_000 + round)
            simulation.run(for: .seconds(60))
        }
        #expect(simulation.clientError == nil && simulation.serverError == nil)
        #expect(simulation.server?.connectionIDs.count ?? 0 < 12)
    }

    @Test(arguments: 0..<12)
    func aFlappingNATDoesNoHarm(seed: UInt64) throws {
        let simulation = try Simulation.connected(seed: seed)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        simulation.toServer.loss = 0.05
        simulation.toServer.jitter = .milliseconds(15)
        let id = try #require(try simulation.client.openStream())
        var random = SplitMix64(seed: seed)
        for _ in 0..<100 {
            simulation.clientAppearsAs = Simulation.address("10.0.0.1", 50_000 + Int(random.next() % 3))
            simulation.client.write(id, pattern(Int(random.next() % 4_000), seed: 1), fin: false)
            simulation.run(for: .milliseconds(Int64(random.next() % 60)))
        }
        simulation.client.write(id, nil, fin: true)
        simulation.toServer.loss = 0
        simulation.run(for: .seconds(40)) { exchange.atClient[id]?.isFinished == true || simulation.clientError != nil }
    }

    @Test(arguments: 0..<12)
    func migrationUnderLossDoesNoHarm(seed: UInt64) throws {
        let simulation = try Simulation.connected(seed: seed)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        simulation.toServer.loss = 0.2
        simulation.toClient.loss = 0.2
        let id = try #require(try simulation.client.openStream())
        for round in 0..<60 {
            try? simulation.client.migrate(to: Simulation.address("10.0.0.1", 50_000 + round), at: simulation.now)
            simulation.client.write(id, pattern(2_000, seed: 1), fin: round == 59)
            simulation.run(for: .milliseconds(150))
        }
        simulation.run(for: .seconds(40)) { exchange.atClient[id]?.isFinished == true || simulation.clientError != nil }
        if simulation.clientError == nil {
            #expect(exchange.atClient[id]?.bytes.readableBytes == 120_000)
        }
    }

    @Test func onlyAConfirmedClientMigrates() throws {
        let simulation = try Simulation()
        let address = Simulation.address("10.0.0.7", 1)
        #expect(throws: QUICError.notPossibleNow(operation: "migration", why: "the handshake is not confirmed")) {
            try simulation.client.migrate(to: address, at: simulation.now)
        }
        simulation.run { simulation.client.isHandshakeConfirmed }
        #expect(throws: QUICError.notPossibleNow(operation: "migration", why: "only a client migrates")) {
            try simulation.server?.migrate(to: address, at: simulation.now)
        }
        simulation.run(for: .seconds(1))
        #expect(throws: QUICError.self) {
            try simulation.client.migrate(to: Simulation.clientAddress, at: simulation.now)
        }
    }

    @Test func aDatagramFromAStrangerIsIgnored() throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        simulation.run(for: .seconds(1))
        let stranger = Simulation.address("10.9.9.9", 9)
        for local in [Simulation.clientAddress, Simulation.address("10.0.0.99", 1)] {
            simulation.client.receive(pattern(1200, seed: 1), from: stranger, to: local, at: simulation.now)
        }
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "undisturbed"), fin: true)
        #expect(simulation.run(for: .seconds(1)) { exchange.atServer[id]?.isFinished == true })
    }
}

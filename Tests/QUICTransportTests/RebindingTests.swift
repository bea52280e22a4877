import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

/// How soon the server follows if a NAT gives the client another port, or the client moves to another address.
@Suite struct RebindingTests {
    /// Sends 8 bytes every `period`, and returns the longest time that any of them took there and back.
    private static func longestGap(
        in simulation: Simulation, rounds: Int, period: TimeAmount, moves: (Int) -> Void
    ) throws -> TimeAmount {
        let exchange = Exchange(simulation)
        exchange.echoes = true
        let id = try #require(try simulation.client.openStream())
        var longest = TimeAmount.zero
        var sentAt: [NIODeadline] = []
        var echoed = 0
        exchange.onClientEvent = { [unowned simulation, unowned exchange] _ in
            let count = (exchange.atClient[id]?.bytes.readableBytes ?? 0) / 8
            while echoed < count {
                longest = max(longest, simulation.now - sentAt[echoed])
                echoed += 1
            }
        }
        for round in 0..<rounds {
            moves(round)
            sentAt.append(simulation.now)
            simulation.client.write(id, ByteBuffer(string: "message "), fin: false)
            simulation.run(for: period)
        }
        #expect(simulation.run(for: .seconds(30)) { echoed == rounds })
        return longest
    }

    private static func connected(_ configuration: QUICConfiguration = .test(), seed: UInt64) throws -> Simulation {
        let simulation = try Simulation.connected(client: configuration, server: configuration, seed: seed)
        simulation.toServer.delay = .milliseconds(25)
        simulation.toClient.delay = .milliseconds(25)
        simulation.run(for: .seconds(3))
        return simulation
    }

    /// The NAT regularly assigns a port that was not used before.
    @Test(arguments: [250, 500, 1_000, 2_000], [true, false])
    func eachNewPortIsFollowedAtOnce(interval: Int64, discovers: Bool) throws {
        let simulation = try Self.connected(.test { $0.pathMTUDiscovery = discovers }, seed: 1)
        let each = Int(interval / 50)
        let longest = try Self.longestGap(in: simulation, rounds: 20 * each, period: .milliseconds(50)) { round in
            if round.isMultiple(of: each) {
                simulation.clientAppearsAs = Simulation.address("10.0.0.1", 50_000 + round / each)
            }
        }
        #expect(longest <= .milliseconds(200), "\(longest.nanoseconds / 1_000_000) ms")
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    /// The NAT alternates between two ports. What a path guard holds back is soon let through.
    @Test(arguments: [500, 2_000, 5_000], [true, false])
    func aPortThatComesBackIsFollowed(interval: Int64, discovers: Bool) throws {
        let simulation = try Self.connected(.test { $0.pathMTUDiscovery = discovers }, seed: 1)
        let each = Int(interval / 100)
        let longest = try Self.longestGap(in: simulation, rounds: 10 * each, period: .milliseconds(100)) { round in
            if round.isMultiple(of: each) {
                simulation.clientAppearsAs = Simulation.address("10.0.0.1", 50_000 + round / each % 2)
            }
        }
        #expect(longest <= .milliseconds(interval + 4_000), "\(longest.nanoseconds / 1_000_000) ms")
    }

    @Test(arguments: [1_000, 2_000, 3_000], [0, 0.05])
    func aClientMovesAgainAndAgain(interval: Int64, loss: Double) throws {
        for seed in 0..<2 as Range<UInt64> {
            let simulation = try Self.connected(seed: seed)
            simulation.toServer.loss = loss
            simulation.toClient.loss = loss
            var moved = 0
            let each = Int(interval / 100)
            let longest = try Self.longestGap(in: simulation, rounds: 10 * each, period: .milliseconds(100)) { round in
                guard round.isMultiple(of: each) else { return }
                let address = Simulation.address("10.0.0.7", 41_000 + round)
                if (try? simulation.client.migrate(to: address, at: simulation.now)) != nil { moved += 1 }
            }
            #expect(moved >= (loss == 0 ? 10 : 7))
            #expect(longest <= .milliseconds(loss == 0 ? 200 : 1_500), "\(longest.nanoseconds / 1_000_000) ms")
            #expect(simulation.clientError == nil && simulation.serverError == nil)
        }
    }

    /// The server gives out no spare connection IDs, so the client keeps its path.
    @Test func withoutASpareConnectionIDAClientStays() throws {
        let simulation = try Self.connected(seed: 1)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        let id = try #require(try simulation.client.openStream())
        // Only the server's handshake and data get through, and no new IDs that replace the old ones.
        var moved = 0
        var why: QUICError?
        simulation.toClient.isCut = true
        for round in 0..<10 where why == nil {
            do {
                try simulation.client.migrate(to: Simulation.address("10.0.0.7", 43_000 + round), at: simulation.now)
                moved += 1
            } catch {
                why = error
            }
            simulation.run(for: .seconds(2)) {
                simulation.clientEvents.last.map { "\($0)".contains("pathFailed") } == true
            }
            simulation.run(for: .milliseconds(400))
        }
        #expect(moved <= 4)
        #expect(
            why
                == .notPossibleNow(
                    operation: "migration", why: "the peer has no connection ID left for it, or forbids it")
                || why == .notPossibleNow(operation: "migration", why: "the last one is too recent"))
        simulation.toClient.isCut = false
        simulation.client.write(id, ByteBuffer(string: "still here"), fin: true)
        #expect(simulation.run(for: .seconds(20)) { exchange.atClient[id]?.isFinished == true })
        #expect(simulation.client.localAddress == Simulation.clientAddress)
    }

    /// A server with several addresses answers from the one that the client uses now, with another connection ID of the
    /// client's for each (RFC 9000 9.5).
    @Test(arguments: [true, false])
    func theServersOtherAddressIsFollowed(discovers: Bool) throws {
        let simulation = try Self.connected(.test { $0.pathMTUDiscovery = discovers }, seed: 1)
        let addresses = (2...4).map { Simulation.address("10.0.0.\($0)", 14_567) }
        var senders: [SocketAddress] = []
        simulation.onSend = { datagram, isToServer in if !isToServer { senders.append(datagram.local) } }
        let longest = try Self.longestGap(in: simulation, rounds: 60, period: .milliseconds(100)) { round in
            if round.isMultiple(of: 20) { simulation.clientReaches = addresses[round / 20] }
        }
        #expect(longest <= .milliseconds(200), "\(longest.nanoseconds / 1_000_000) ms")
        #expect(simulation.server?.localAddress == addresses[2])
        #expect(senders.last == addresses[2] && Set(senders) == Set(addresses))
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    /// Whatever a server is told before its handshake is over, it has one address for it.
    @Test(arguments: [QUICServerAcceptor.Retry.never, .always])
    func aHandshakeAtAnotherAddress(retry: QUICServerAcceptor.Retry) throws {
        let simulation = try Simulation(retry: retry)
        let address = Simulation.address("10.0.0.3", 14_567)
        simulation.clientReaches = address
        var senders: Set<SocketAddress> = []
        simulation.onSend = { datagram, isToServer in if !isToServer { senders.insert(datagram.local) } }
        #expect(simulation.run { simulation.client.isHandshakeConfirmed })
        #expect(senders == [address])
        simulation.server?.close(applicationCode: 1, reason: "", at: simulation.now)
        #expect(simulation.run { simulation.clientError != nil })
        #expect(senders == [address] && simulation.server?.localAddress == address)
    }

    /// Whatever happens to paths, the process is not aborted.
    @Test(arguments: 0..<12 as Range<UInt64>, [false, true])
    func nothingThatHappensToPathsDoesHarm(seed: UInt64, hasAddresses: Bool) throws {
        var random = SplitMix64(seed: 7_000 + seed)
        let configuration = QUICConfiguration.test {
            $0.pathMTUDiscovery = !seed.isMultiple(of: 3)
            $0.idleTimeout = .seconds(20)
            $0.keepAlive = seed.isMultiple(of: 2) ? .seconds(3) : nil
            $0.activeConnectionIDLimit = [2, 4, 8][Int(seed % 3)]
        }
        let simulation = try Self.connected(configuration, seed: seed)
        simulation.toServer.loss = [0, 0.1, 0.3][Int(random.next() % 3)]
        simulation.toClient.loss = [0, 0.1, 0.3][Int(random.next() % 3)]
        simulation.toServer.jitter = .milliseconds(20)
        simulation.toClient.jitter = .milliseconds(20)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        let id = try #require(try simulation.client.openStream())
        for round in 0..<60 where simulation.clientError == nil {
            switch random.next() % (hasAddresses ? 14 : 10) {
            case 0...2: simulation.clientAppearsAs = Simulation.address("10.0.0.1", 50_000 + Int(random.next() % 3))
            case 3: simulation.clientAppearsAs = Simulation.address("10.0.0.2", 51_000 + round)
            case 4: simulation.clientAppearsAs = nil
            case 5, 6:
                let address = Simulation.address("10.0.0.7", 42_000 + Int(random.next() % 4))
                try? simulation.client.migrate(to: address, at: simulation.now)
            case 7:
                simulation.dropsFrom =
                    simulation.dropsFrom == nil ? Simulation.address("10.0.0.7", 42_001) : nil
            case 8: simulation.client.hurry(at: simulation.now)
            case 10...13:
                simulation.clientReaches = Simulation.address("10.0.0.\(2 + random.next() % 3)", 14_567)
            default: simulation.server?.hurry(at: simulation.now)
            }
            simulation.client.write(id, pattern(Int(random.next() % 5_000), seed: 1), fin: false)
            simulation.run(for: .milliseconds(Int64(random.next() % 400)))
        }
        simulation.toServer.loss = 0
        simulation.toClient.loss = 0
        simulation.dropsFrom = nil
        simulation.client.write(id, nil, fin: true)
        simulation.run(for: .seconds(30)) { exchange.atClient[id]?.isFinished == true }
    }
}

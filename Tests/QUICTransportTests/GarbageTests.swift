import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

/// Whatever bytes arrive, nothing crashes or loops, and a connection either continues or ends with an error.
@Suite struct GarbageTests {
    @Test(arguments: 0..<24)
    func mutatedDatagramsDoNoHarm(seed: UInt64) throws {
        let simulation = try Simulation(retry: seed.isMultiple(of: 3) ? .always : .never, seed: seed)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        simulation.injectMutants(8, delayedUpTo: 30, seed: 1_000 + seed)
        simulation.run(for: .seconds(10)) { simulation.client.isHandshakeConfirmed || simulation.clientError != nil }
        for round in 0..<6 {
            if let id = try? simulation.client.openStream() {
                simulation.client.write(id, pattern(3_000, seed: UInt64(round)), fin: round.isMultiple(of: 2))
            }
            if round == 3 { try? simulation.client.initiateKeyUpdate(at: simulation.now) }
            if round == 4 {
                try? simulation.client.migrate(to: Simulation.address("10.0.0.5", 5), at: simulation.now)
            }
            simulation.run(for: .milliseconds(200))
        }
        // Packets are authenticated: after the handshake, forged ones change nothing.
        if simulation.client.isHandshakeConfirmed {
            #expect(simulation.clientError == nil, "\(String(describing: simulation.clientError))")
        }
    }

    @Test func theAcceptorTakesAnything() throws {
        var random = SplitMix64(seed: 77)
        let simulation = try Simulation()
        let first = try #require(simulation.client.nextDatagram(at: simulation.now))
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Simulation.mutated(first.bytes, &random)
            _ = QUICPacketHeader.destinationConnectionID(of: bytes)
            _ = simulation.client.isStatelessReset(bytes)
            let decision = simulation.acceptor.decide(
                bytes, from: Simulation.clientAddress, to: Simulation.serverAddress, at: simulation.now)
            guard case .accept(let incoming) = decision, accepted < 400 else { continue }
            accepted += 1
            let server = try QUICConnection.server(accepting: incoming, now: simulation.now)
            while server.nextDatagram(at: simulation.now) != nil {}
            while server.nextEvent() != nil {}
        }
        #expect(accepted > 100)
    }
}

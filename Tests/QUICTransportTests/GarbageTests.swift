import NIOCore
import TestSupport
import Testing

@testable import QUICTransport

/// Whatever the bytes, nothing crashes, nothing runs in circles, and a connection either goes on or ends with an error.
@Suite struct GarbageTests {
    static func mutated(_ bytes: ByteBuffer, _ random: inout SplitMix64) -> ByteBuffer {
        var copy = Array(bytes.readableBytesView)
        switch random.next() % 6 {
        case 0:
            copy = Array(copy.prefix(Int(random.next() % UInt64(copy.count + 1))))
        case 1:
            copy += (0..<Int(random.next() % 64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 2:
            copy = (0..<Int(random.next() % 1400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 3:
            copy += copy
        default:
            for _ in 0..<Int(1 + random.next() % 8) where !copy.isEmpty {
                // Half of them in the header, where the decisions are.
                let span = random.next() % 2 == 0 ? min(copy.count, 48) : copy.count
                copy[Int(random.next() % UInt64(span))] = UInt8(truncatingIfNeeded: random.next())
            }
        }
        return ByteBuffer(bytes: copy)
    }

    @Test(arguments: 0..<24)
    func mutatedDatagramsDoNoHarm(seed: UInt64) throws {
        var random = SplitMix64(seed: 1000 + seed)
        let simulation = try Simulation(retry: seed.isMultiple(of: 3) ? .always : .never, seed: seed)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        var isInjecting = false
        simulation.onSend = { [unowned simulation] datagram, isToServer in
            guard !isInjecting else { return }
            isInjecting = true
            for _ in 0..<8 {
                var mutant = datagram
                mutant.bytes = Self.mutated(datagram.bytes, &random)
                simulation.inject(mutant, toServer: isToServer, after: .milliseconds(Int64(random.next() % 30)))
            }
            isInjecting = false
        }
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
        // Packets are authenticated: what was forged has changed nothing once the handshake was over.
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
            let bytes = Self.mutated(first.bytes, &random)
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

import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

/// Stateless resets after the client has retired connection IDs of the server.
@Suite struct StatelessResetTests {
    private static func address(_ number: Int) -> SocketAddress {
        Simulation.address("10.0.0.7", 41_000 + number)
    }

    /// What the server answers if it does not know the connection ID of the last datagram that the client sends now.
    private static func reset(_ simulation: Simulation) throws -> QUICDatagram {
        var last: QUICDatagram?
        simulation.onSend = { datagram, isToServer in
            if isToServer { last = datagram }
        }
        defer { simulation.onSend = nil }
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(repeating: 1, count: 100), fin: true)
        simulation.run(for: .milliseconds(1))
        let datagram = try #require(last)
        let decision = simulation.acceptor.decide(
            datagram.bytes, from: datagram.local, to: datagram.remote, at: simulation.now)
        guard case .reply(let answer) = decision else {
            throw NotAnswered()
        }
        return answer
    }

    private struct NotAnswered: Error {}

    /// A datagram from before comes late, or a second time, when the server has been told to forget its connection ID.
    @Test(arguments: [25, 30, 40, 60, 100, 200, 1_000])
    func aResetOfARetiredConnectionIDDoesNoHarm(milliseconds: Int64) throws {
        let simulation = try Simulation.connected()
        let exchange = Exchange(simulation)
        simulation.run(for: .seconds(1))
        var resets = [try Self.reset(simulation)]
        for round in 0..<4 {
            simulation.run(for: .seconds(1))
            try simulation.client.migrate(to: Self.address(round), at: simulation.now)
            for reset in resets {
                simulation.inject(reset, toServer: false, after: .milliseconds(milliseconds))
            }
            simulation.run(for: .milliseconds(milliseconds + 1))
            #expect(simulation.clientError == nil, "\(round)")
            simulation.run(for: .seconds(1))
            resets.append(try Self.reset(simulation))
        }
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "still here"), fin: true)
        #expect(simulation.run(for: .seconds(5)) { exchange.atServer[id]?.isFinished == true })
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    @Test func aResetOfTheConnectionIDInUseEndsTheConnection() throws {
        let simulation = try Simulation.connected()
        simulation.run(for: .seconds(1))
        let early = try Self.reset(simulation)
        try simulation.client.migrate(to: Self.address(1), at: simulation.now)
        simulation.run(for: .milliseconds(30))
        let present = try Self.reset(simulation)
        simulation.inject(early, toServer: false, after: .milliseconds(1))
        simulation.run(for: .milliseconds(2))
        #expect(simulation.clientError == nil)
        simulation.inject(present, toServer: false, after: .milliseconds(1))
        simulation.run(for: .milliseconds(2))
        #expect(simulation.clientError == .statelessReset)
    }

    /// The server is gone: what answers knows none of its connection IDs, not even the first one.
    @Test func aResetBeforeAnyConnectionIDIsRetiredEndsTheConnection() throws {
        let simulation = try Simulation.connected()
        simulation.run(for: .seconds(1))
        simulation.inject(try Self.reset(simulation), toServer: false, after: .milliseconds(1))
        simulation.run(for: .milliseconds(2))
        #expect(simulation.clientError == .statelessReset)
    }
}

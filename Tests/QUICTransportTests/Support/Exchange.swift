import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

/// Collects what arrives on each stream of a simulation, and grants credit for it.
final class Exchange {
    struct Received {
        var bytes = ByteBuffer()
        var isFinished = false
    }

    private(set) var atClient: [QUICStreamID: Received] = [:]
    private(set) var atServer: [QUICStreamID: Received] = [:]
    var consumesAtServer = true
    /// The server sends everything back.
    var echoes = false
    var onClientEvent: ((QUICEvent) -> Void)?

    init(_ simulation: Simulation) {
        simulation.onClientEvent = { [unowned simulation] event in
            if case .streamData(let id, let bytes, let fin) = event {
                Self.collect(bytes, fin, into: &self.atClient[id, default: Received()])
                simulation.client.consumed(id, bytes: bytes.readableBytes)
            }
            self.onClientEvent?(event)
        }
        simulation.onServerEvent = { [unowned simulation] event in
            guard case .streamData(let id, let bytes, let fin) = event else { return }
            Self.collect(bytes, fin, into: &self.atServer[id, default: Received()])
            if self.consumesAtServer {
                simulation.server?.consumed(id, bytes: bytes.readableBytes)
            }
            if self.echoes {
                simulation.server?.write(id, bytes, fin: fin)
            }
        }
    }

    private static func collect(_ bytes: ByteBuffer, _ fin: Bool, into received: inout Received) {
        received.bytes.writeImmutableBuffer(bytes)
        received.isFinished = received.isFinished || fin
    }
}

func pattern(_ count: Int, seed: UInt64) -> ByteBuffer {
    var random = SplitMix64(seed: seed)
    return ByteBuffer(bytes: (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
}

extension Simulation {
    /// A pair of connections whose handshake is confirmed.
    static func connected(
        client: QUICConfiguration = .test(), server: QUICConfiguration = .test(), seed: UInt64 = 1
    ) throws -> Simulation {
        let simulation = try Simulation(client: client, server: server, seed: seed)
        let isConnected = simulation.run(for: .seconds(5)) {
            simulation.client.isHandshakeConfirmed && simulation.server?.isHandshakeConfirmed == true
        }
        precondition(isConnected, "no handshake")
        return simulation
    }

    /// Such a pair that knows its round trips, has finished path MTU discovery, and has a stream that the client
    /// opened.
    static func settled(
        client: QUICConfiguration, server: QUICConfiguration, delay: TimeAmount = .milliseconds(25), seed: UInt64 = 1
    ) throws -> (simulation: Simulation, exchange: Exchange, stream: QUICStreamID) {
        let simulation = try connected(client: client, server: server, seed: seed)
        simulation.toServer.delay = delay
        simulation.toClient.delay = delay
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        for _ in 0..<20 {
            simulation.client.write(id, pattern(3_000, seed: 1), fin: false)
            simulation.run(for: .milliseconds(500))
        }
        return (simulation, exchange, id)
    }
}

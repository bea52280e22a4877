import NIOCore
import QUICSimulation

@testable import QUICTransport

extension Simulation {
    /// The resumption that a first connection to the server gives the client.
    static func resumption(
        client: QUICConfiguration = .test(), server: QUICConfiguration = .test(), clientTLS: QUICTLSContext? = nil,
        serverTLS: QUICTLSContext, resumption: QUICResumption? = nil
    ) throws -> QUICResumption {
        let simulation = try Simulation(
            client: client, server: server, clientTLS: clientTLS, serverTLS: serverTLS, resumption: resumption)
        simulation.run(for: .seconds(2))
        guard let ticket = simulation.tickets.first else { throw NoTicket(error: simulation.clientError) }
        return ticket
    }

    struct NoTicket: Error {
        let error: QUICError?
    }

    var tickets: [QUICResumption] {
        clientEvents.compactMap { if case .ticketReceived(let ticket) = $0 { ticket } else { nil } }
    }

    /// All bytes of streams that the server has received so far.
    var bytesAtServer: ByteBuffer {
        var all = ByteBuffer()
        for case .streamData(_, let bytes, _) in serverEvents { all.writeImmutableBuffer(bytes) }
        return all
    }
}

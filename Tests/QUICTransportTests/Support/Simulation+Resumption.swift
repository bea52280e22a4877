import NIOCore

@testable import QUICTransport

extension Simulation {
    /// What a first connection to the server leaves the client with.
    static func resumption(
        client: QUICConfiguration = .test(),
        server: QUICConfiguration = .test(),
        clientTLS: QUICTLSContext? = nil,
        serverTLS: QUICTLSContext,
        resumption: QUICResumption? = nil
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

    /// The bytes of streams that the server has had so far.
    var bytesAtServer: ByteBuffer {
        var all = ByteBuffer()
        for case .streamData(_, let bytes, _) in serverEvents { all.writeImmutableBuffer(bytes) }
        return all
    }
}

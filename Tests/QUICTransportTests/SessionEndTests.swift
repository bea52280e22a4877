import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

/// What the TLS session leaves behind when the handshake needs it no more.
@Suite struct SessionEndTests {
    private static func simulation(
        ticketKey: QUICTicketKey? = QUICTicketKey(), keepsCertificates: Bool = false
    ) throws -> Simulation {
        let configuration = QUICConfiguration.test { $0.keepsPeerCertificates = keepsCertificates }
        return try Simulation(
            client: configuration, server: configuration,
            serverTLS: TestCertificates.shared.server(ticketKey: ticketKey))
    }

    /// Exchanges a message on a new stream.
    private static func echo(_ text: String, in simulation: Simulation) throws {
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: text), fin: true)
        simulation.run(for: .seconds(1))
        #expect(simulation.serverEvents.contains(.streamData(id, ByteBuffer(string: text), fin: true)))
    }

    @Test(arguments: [false, true])
    func certificatesAreKeptOnDemand(keepsCertificates: Bool) throws {
        let simulation = try Self.simulation(keepsCertificates: keepsCertificates)
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        simulation.run(for: .seconds(1))
        let info = try #require(simulation.client.tlsInfo)
        #expect(info.version == "TLS 1.3")
        #expect(info.group == "X25519")
        #expect(info.cipher.contains("GCM") || info.cipher.contains("CHACHA20"))
        #expect(info.cipher == simulation.server?.tlsInfo?.cipher)
        #expect(info.peerCertificates.map(\.subject).first == (keepsCertificates ? "CN=broker.test,O=Test" : nil))
        #expect(!simulation.client.isResumed && simulation.server?.isResumed == false)
        #expect(simulation.client.negotiatedALPN == "mqtt")
        try Self.echo("later", in: simulation)
    }

    @Test func aTicketThatWasLostStillComes() throws {
        let simulation = try Self.simulation()
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeCompleted })
        simulation.toClient.isCut = true
        simulation.run(for: .seconds(2))
        #expect(simulation.tickets.isEmpty)
        simulation.toClient.isCut = false
        #expect(simulation.run(for: .seconds(20)) { !simulation.tickets.isEmpty })
        simulation.run(for: .seconds(1))
        #expect(simulation.client.tlsInfo?.peerCertificates.isEmpty == true)
        try Self.echo("after the ticket", in: simulation)
    }

    @Test func aClientDoesNotWaitForeverForATicket() throws {
        let simulation = try Self.simulation(ticketKey: nil)
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        simulation.run(for: .seconds(9))
        #expect(simulation.client.tlsInfo?.peerCertificates.isEmpty == false)
        simulation.run(for: .seconds(2))
        #expect(simulation.client.tlsInfo?.peerCertificates.isEmpty == true)
        #expect(simulation.server?.tlsInfo?.peerCertificates.isEmpty == true)
        try Self.echo("without a ticket", in: simulation)
    }

    /// Keys change without TLS (RFC 9001 6).
    @Test func keysChangeAfterwards() throws {
        let simulation = try Self.simulation()
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        simulation.run(for: .seconds(1))
        #expect(simulation.client.tlsInfo?.peerCertificates.isEmpty == true)
        for round in 0..<3 {
            try Self.echo("before \(round)", in: simulation)
            try simulation.client.initiateKeyUpdate(at: simulation.now)
            try Self.echo("after \(round)", in: simulation)
        }
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }
}

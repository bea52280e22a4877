import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct ResumptionTests {
    private static let key = QUICTicketKey()

    private static func server(
        _ key: QUICTicketKey? = key, demandsClientCertificate: Bool = false
    ) throws -> QUICTLSContext {
        try TestCertificates.shared.server(demandsClientCertificate: demandsClientCertificate, ticketKey: key)
    }

    @Test func aTicketKeyHasOneLength() {
        #expect(QUICTicketKey().bytes.count == 64)
        #expect(QUICTicketKey().bytes != QUICTicketKey().bytes)
        #expect(QUICTicketKey(bytes: [UInt8](repeating: 1, count: 63)) == nil)
        #expect(QUICTicketKey(bytes: [UInt8](repeating: 1, count: 65)) == nil)
        #expect(QUICTicketKey(bytes: Self.key.bytes)?.bytes == Self.key.bytes)
        #expect("\(Self.key)" == "QUICTicketKey")
    }

    @Test func aServerWithAKeyGivesOneTicketToEachClient() throws {
        let simulation = try Simulation(serverTLS: Self.server())
        simulation.run(for: .seconds(2))
        #expect(simulation.tickets.count == 1)
        let ticket = try #require(simulation.tickets.first)
        #expect(ticket.alpn == "mqtt" && !ticket.allowsEarlyData)
        #expect("\(ticket)" == "QUICResumption(alpn: mqtt, allowsEarlyData: false)")
        let without = try Simulation.connected()
        without.run(for: .seconds(2))
        #expect(without.tickets.isEmpty)
    }

    @Test func aTicketSavesTheCertificates() throws {
        let tls = try Self.server()
        var sizes: [Int] = []
        var resumption: QUICResumption?
        // The last connections use tickets of connections that were resumed themselves, and a server that was
        // restarted.
        for round in 0..<4 {
            let simulation = try Simulation(
                serverTLS: round == 3 ? Self.server(QUICTicketKey(bytes: Self.key.bytes)) : tls,
                resumption: resumption)
            var size = 0
            simulation.onSend = { datagram, isToServer in
                if !isToServer, !simulation.client.isHandshakeCompleted { size += datagram.bytes.readableBytes }
            }
            #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
            #expect(simulation.client.isResumed == (round > 0))
            #expect(simulation.server?.isResumed == (round > 0))
            #expect(simulation.client.tlsInfo?.peerCertificates.first?.subject == "CN=broker.test,O=Test")
            simulation.run(for: .seconds(1))
            resumption = simulation.tickets.first
            sizes.append(size)
            simulation.onSend = nil
        }
        #expect(sizes[1] < sizes[0])
    }

    enum Change: CaseIterable {
        case key, streams, data, streamData, connectionIDs, alpn, clientCertificates, none
    }

    @Test(arguments: Change.allCases)
    func aServerWithOtherSettingsRefusesEarlierTickets(change: Change) throws {
        let clientTLS = try TestCertificates.shared.client(showsCertificate: true)
        let resumption = try Simulation.resumption(clientTLS: clientTLS, serverTLS: Self.server())
        let configuration = QUICConfiguration.test {
            switch change {
            case .streams: $0.maxBidiStreams -= 1
            case .data: $0.initialMaxData += 1
            case .streamData: $0.initialMaxStreamData -= 1
            case .connectionIDs: $0.activeConnectionIDLimit = 3
            case .alpn: $0.alpn.append("mqtt-mux")
            case .key, .clientCertificates, .none: break
            }
        }
        let tls = try Self.server(
            change == .key ? QUICTicketKey() : Self.key, demandsClientCertificate: change == .clientCertificates)
        let simulation = try Simulation(
            server: configuration, clientTLS: clientTLS, serverTLS: tls, resumption: resumption)
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
        #expect(simulation.client.isResumed == (change == .none))
        #expect(simulation.server?.isResumed == (change == .none))
    }

    @Test func aTicketIsForOneServerAndItsAuthorities() throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        let name = try Simulation(serverTLS: tls, serverName: "sensor-1.devices.test", resumption: resumption)
        #expect(name.run(for: .seconds(1)) { name.client.isHandshakeConfirmed })
        #expect(!name.client.isResumed)
        let authorities = try Simulation(
            clientTLS: TestCertificates.shared.client(ca: "ec-chain.pem"), serverTLS: tls, resumption: resumption)
        #expect(authorities.run(for: .seconds(1)) { authorities.client.isHandshakeConfirmed })
        #expect(!authorities.client.isResumed)
        // A server with the wrong name is still detected.
        let impostor = try Simulation(
            serverTLS: TestCertificates.shared.server("rsa", ticketKey: QUICTicketKey()), resumption: resumption)
        impostor.run(for: .seconds(5))
        guard case .certificateNotTrusted? = impostor.clientError else {
            Issue.record("\(String(describing: impostor.clientError))")
            return
        }
    }

    @Test func aResumedClientIsStillTheOneItsCertificateProved() throws {
        let clientTLS = try TestCertificates.shared.client(showsCertificate: true)
        let tls = try Self.server(demandsClientCertificate: true)
        var resumption = try Simulation.resumption(clientTLS: clientTLS, serverTLS: tls)
        for _ in 0..<2 {
            // The client no longer has a certificate.
            let simulation = try Simulation(serverTLS: tls, resumption: resumption)
            #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
            let server = try #require(simulation.server)
            #expect(server.isResumed)
            #expect(server.tlsInfo?.peerCertificates.map(\.subject) == ["CN=device-7,O=Test"])
            simulation.run(for: .seconds(1))
            resumption = try #require(simulation.tickets.first)
        }
    }

    /// Only the ticket is damaged. The session data around it is GnuTLS's own and never comes from the network.
    @Test func aDamagedTicketMeansAFullHandshake() throws {
        let tls = try TestCertificates.shared.server(ticketKey: Self.key, antiReplay: QUICAntiReplay())
        let good = try Simulation.resumption(serverTLS: tls)
        // The ticket is near the end, before the secret. It is found where two sessions differ.
        let other = try Simulation.resumption(serverTLS: tls).session
        let differing = zip(good.session.indices, zip(good.session, other)).filter { $0.1.0 != $0.1.1 }.map(\.0)
        let ticket = differing.filter { $0 < good.session.count - 80 && $0 > good.session.count - 220 }
        #expect(ticket.count > 80)
        var random = SplitMix64(seed: 5)
        for round in 0..<60 {
            var session = good.session
            session[ticket[Int(random.next() % UInt64(ticket.count))]] ^= UInt8(1 << (random.next() % 8))
            let bad = QUICResumption(
                session: session, earlyParameters: good.earlyParameters, serverName: good.serverName,
                trust: good.trust, alpn: good.alpn, allowsEarlyData: true, receivedAt: good.receivedAt,
                lifetime: good.lifetime)
            let isEarly = round.isMultiple(of: 2)
            let simulation = try Simulation(serverTLS: tls, resumption: bad, earlyData: isEarly)
            #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
            #expect(!simulation.client.isResumed)
            #expect(simulation.clientEvents.contains(.earlyDataRejected) == isEarly)
        }
    }
}

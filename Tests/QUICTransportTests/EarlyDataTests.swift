import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct EarlyDataTests {
    private static let hello = ByteBuffer(string: "CONNECT")

    private static func server(
        key: QUICTicketKey, antiReplay: QUICAntiReplay?, demandsClientCertificate: Bool = false
    ) throws -> QUICTLSContext {
        try TestCertificates.shared.server(
            demandsClientCertificate: demandsClientCertificate, ticketKey: key, antiReplay: antiReplay)
    }

    private static func server() throws -> QUICTLSContext {
        try server(key: QUICTicketKey(), antiReplay: QUICAntiReplay())
    }

    /// A client that has sent early data which has not reached the server yet.
    private static func begin(
        resumption: QUICResumption, client: QUICConfiguration = .test(), server: QUICConfiguration = .test(),
        clientTLS: QUICTLSContext? = nil, serverTLS: QUICTLSContext, retry: QUICServerAcceptor.Retry = .never,
        seed: UInt64 = 1
    ) throws -> (simulation: Simulation, exchange: Exchange, stream: QUICStreamID) {
        let simulation = try Simulation(
            client: client, server: server, clientTLS: clientTLS, serverTLS: serverTLS, retry: retry,
            resumption: resumption, earlyData: true, seed: seed)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, hello, fin: false)
        return (simulation, exchange, id)
    }

    @Test func earlyDataArrivesWithTheFirstDatagram() throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        #expect(resumption.allowsEarlyData)
        let (simulation, exchange, id) = try Self.begin(resumption: resumption, serverTLS: tls)
        let start = simulation.now
        var wasCompleted: Bool?
        let collect = simulation.onServerEvent
        simulation.onServerEvent = { event in
            if case .streamOpened = event { wasCompleted = simulation.server?.isHandshakeCompleted }
            collect?(event)
        }
        #expect(simulation.run { exchange.atServer[id]?.bytes == Self.hello })
        #expect(simulation.now - start == .milliseconds(10))
        #expect(wasCompleted == false)
        #expect(simulation.server?.isEarlyDataAccepted == true)
        #expect(!simulation.client.isHandshakeCompleted)
        // The answer comes with the rest of the server's flight.
        #expect(simulation.run { exchange.atClient[id]?.bytes == Self.hello })
        #expect(simulation.now - start == .milliseconds(20))
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
        #expect(simulation.client.isEarlyDataAccepted && simulation.client.isResumed)
        #expect(!simulation.clientEvents.contains(.earlyDataRejected))
        simulation.client.write(id, Self.hello, fin: true)
        #expect(simulation.run(for: .seconds(1)) { simulation.clientEvents.contains(.streamClosed(id)) })
        #expect(exchange.atServer[id]?.bytes.readableBytes == 14)
        simulation.onServerEvent = nil
    }

    @Test func earlyDataComesAlsoThroughARetry() throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        let (simulation, exchange, id) = try Self.begin(resumption: resumption, serverTLS: tls, retry: .always)
        let start = simulation.now
        #expect(simulation.run { exchange.atServer[id]?.bytes == Self.hello })
        #expect(simulation.now - start == .milliseconds(30))
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
        #expect(simulation.client.isEarlyDataAccepted)
    }

    @Test func withoutAskingForItNothingIsEarly() throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        let simulation = try Simulation(serverTLS: tls, resumption: resumption)
        #expect(try simulation.client.openStream() == nil)
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
        #expect(simulation.client.isResumed && !simulation.client.isEarlyDataAccepted)
        #expect(!simulation.clientEvents.contains(.earlyDataRejected))
        let otherProtocol = try Simulation(
            client: .test { $0.alpn = ["mqtt-mux"] }, serverTLS: tls, resumption: resumption, earlyData: true)
        #expect(try otherProtocol.client.openStream() == nil)
    }

    enum Reason: CaseIterable {
        /// The server accepts the ticket, but no early data.
        case restart, noAntiReplay, full
        /// The server does not accept the ticket.
        case otherKey, fewerStreams, smallerWindow
    }

    @Test(arguments: Reason.allCases)
    func refusedEarlyDataIsForTheApplicationToSendAgain(reason: Reason) throws {
        let key = QUICTicketKey()
        let antiReplay = QUICAntiReplay(capacity: reason == .full ? 0 : 10)
        let resumption = try Simulation.resumption(serverTLS: Self.server(key: key, antiReplay: antiReplay))
        let tls =
            switch reason {
            case .restart: try Self.server(key: key, antiReplay: QUICAntiReplay())
            case .noAntiReplay: try Self.server(key: key, antiReplay: nil)
            case .otherKey: try Self.server(key: QUICTicketKey(), antiReplay: antiReplay)
            case .full, .fewerStreams, .smallerWindow: try Self.server(key: key, antiReplay: antiReplay)
            }
        let configuration = QUICConfiguration.test {
            if reason == .fewerStreams { $0.maxBidiStreams = 1 }
            if reason == .smallerWindow { $0.initialMaxData = 2_000 }
        }
        let (simulation, exchange, id) = try Self.begin(
            resumption: resumption, server: configuration, serverTLS: tls)
        let other = try #require(try simulation.client.openStream())
        simulation.client.write(other, pattern(5_000, seed: 1), fin: true)
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeCompleted })
        #expect(simulation.client.isResumed == [.restart, .noAntiReplay, .full].contains(reason))
        #expect(!simulation.client.isEarlyDataAccepted && simulation.server?.isEarlyDataAccepted == false)
        let events = simulation.clientEvents.filter {
            switch $0 {
            case .earlyDataRejected, .handshakeCompleted, .streamClosed, .streamReset, .streamDrained: true
            default: false
            }
        }
        #expect(events == [.earlyDataRejected, .handshakeCompleted(alpn: "mqtt")])
        #expect(simulation.client.streams.isEmpty && simulation.client.bufferedBytes(other) == 0)
        simulation.run(for: .seconds(1))
        #expect(simulation.bytesAtServer.readableBytes == 0)
        // Everything is sent again, from the first identifier on.
        #expect(try simulation.client.openStream() == id)
        simulation.client.write(id, pattern(1_000, seed: 2), fin: true)
        #expect(simulation.run(for: .seconds(2)) { simulation.clientEvents.contains(.streamClosed(id)) })
        #expect(exchange.atServer[id]?.bytes == pattern(1_000, seed: 2))
        #expect(simulation.clientError == nil && simulation.serverError == nil)
    }

    /// An attacker has recorded a client's first flight, and sends it again from another address.
    @Test func aFirstFlightThatIsPlayedAgainDeliversNothing() throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        let (simulation, exchange, id) = try Self.begin(resumption: resumption, serverTLS: tls)
        var flight: [QUICDatagram] = []
        simulation.onSend = { datagram, isToServer in
            if isToServer { flight.append(datagram) }
        }
        #expect(simulation.run { exchange.atServer[id]?.bytes == Self.hello })
        simulation.onSend = nil
        #expect(!flight.isEmpty)
        for round in 0..<3 {
            // First the same server, then one that does not know the first connection but shares the memory of
            // ClientHellos.
            let other = try Simulation(serverTLS: tls)
            other.clientAppearsAs = Simulation.address("10.0.0.66", 6_000 + round)
            for datagram in flight { other.inject(datagram, toServer: true, after: .milliseconds(1)) }
            other.toServer.isCut = true
            other.run(for: .milliseconds(500)) { other.server != nil }
            let server = try #require(other.server)
            #expect(!server.isEarlyDataAccepted)
            other.run(for: .seconds(1))
            #expect(!other.serverEvents.contains { if case .streamOpened = $0 { true } else { false } })
            #expect(other.bytesAtServer.readableBytes == 0)
        }
        // The connection itself continues, and the same client can make a new one.
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
        let (next, received, first) = try Self.begin(resumption: resumption, serverTLS: tls)
        #expect(next.run { received.atServer[first]?.bytes == Self.hello })
    }

    @Test func whereCertificatesAreDemandedNothingIsEarly() throws {
        let clientTLS = try TestCertificates.shared.client(showsCertificate: true)
        let tls = try Self.server(key: QUICTicketKey(), antiReplay: QUICAntiReplay(), demandsClientCertificate: true)
        let resumption = try Simulation.resumption(clientTLS: clientTLS, serverTLS: tls)
        #expect(!resumption.allowsEarlyData)
        let simulation = try Simulation(
            clientTLS: clientTLS, serverTLS: tls, resumption: resumption, earlyData: true)
        #expect(try simulation.client.openStream() == nil)
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
        #expect(simulation.client.isResumed)
    }

    /// ngtcp2 aborts the process for a keep-alive that is set before the handshake is confirmed.
    @Test func aServerThatTakesItsTimeDoesNoHarm() throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        for isRefused in [false, true] {
            let (simulation, exchange, id) = try Self.begin(
                resumption: resumption, client: .test { $0.keepAlive = .milliseconds(100) },
                serverTLS: isRefused ? Self.server() : tls)
            simulation.client.write(id, pattern(30_000, seed: 3), fin: true)
            simulation.toClient.delay = .seconds(4)
            #expect(simulation.run(for: .seconds(9)) { simulation.client.isHandshakeCompleted })
            simulation.toClient.delay = .milliseconds(10)
            simulation.run(for: .seconds(20))
            #expect(simulation.clientError == nil)
            #expect(exchange.atServer[id]?.isFinished == (isRefused ? nil : true))
        }
        let (silent, _, _) = try Self.begin(resumption: resumption, serverTLS: tls)
        silent.toServer.isCut = true
        silent.run { silent.clientError != nil }
        #expect(silent.clientError == .noAnswer(remote: "10.0.0.2:14567", after: .seconds(10)))
    }

    /// Loss, reordering, duplication and damage of early flights, accepted and refused.
    @Test(arguments: 0..<30)
    func whateverBecomesOfTheFlightTheBytesArriveOnceOrNotAtAll(seed: UInt64) throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        let isRefused = seed % 3 == 2
        let (simulation, exchange, id) = try Self.begin(
            resumption: resumption, serverTLS: isRefused ? Self.server() : tls,
            retry: seed.isMultiple(of: 4) ? .always : .never, seed: seed)
        for link in [\Simulation.toServer, \Simulation.toClient] {
            simulation[keyPath: link] = Link(
                delay: .milliseconds(20), jitter: .milliseconds(15), loss: 0.15, duplication: 0.15)
        }
        simulation.injectMutants(6, delayedUpTo: 40, seed: 4_000 + seed) { [unowned simulation] in
            simulation.sent.toServer < 40
        }
        let bytes = pattern(20_000, seed: seed)
        simulation.client.write(id, bytes, fin: true)
        if let extra = try simulation.client.openStream() {
            simulation.client.write(extra, bytes, fin: false)
            if seed.isMultiple(of: 2) { simulation.client.reset(extra, code: 1) }
        }
        var wasRejected = false
        exchange.onClientEvent = { [unowned simulation] event in
            guard event == .earlyDataRejected else { return }
            wasRejected = true
            // Streams can be opened again only when the handshake has completed.
            #expect(simulation.client.streams.isEmpty)
        }
        simulation.run(for: .seconds(30)) {
            exchange.atServer[id]?.isFinished == true || simulation.clientError != nil || wasRejected
        }
        if wasRejected {
            #expect(simulation.bytesAtServer.readableBytes == 0)
            simulation.run(for: .seconds(5)) { simulation.client.isHandshakeCompleted }
            let again = try #require(try simulation.client.openStream())
            simulation.client.write(again, bytes, fin: true)
            simulation.run(for: .seconds(30)) {
                exchange.atServer[again]?.isFinished == true || simulation.clientError != nil
            }
        }
        if simulation.clientError == nil {
            let expected =
                wasRejected ? bytes : ByteBuffer(bytes: Self.hello.readableBytesView + bytes.readableBytesView)
            #expect(exchange.atServer[id]?.bytes == expected)
        }
        exchange.onClientEvent = nil
        simulation.onSend = nil
    }

    @Test func aClientMayGiveUpEarly() throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        for step in 0..<40 {
            let (simulation, _, id) = try Self.begin(resumption: resumption, serverTLS: tls)
            simulation.run(for: .milliseconds(Int64(step)))
            if step.isMultiple(of: 2) {
                simulation.client.close(applicationCode: 1, reason: "", at: simulation.now)
            } else {
                simulation.client.reset(id, code: 1)
            }
            simulation.run(for: .seconds(1))
        }
    }

    /// Parts of a first flight come from several addresses, in any order and repeatedly, as after a rebinding or from
    /// an attacker.
    @Test(arguments: 0..<40)
    func aFlightFromSeveralAddressesDoesNoHarm(seed: UInt64) throws {
        let tls = try Self.server()
        let resumption = try Simulation.resumption(serverTLS: tls)
        let (simulation, _, id) = try Self.begin(resumption: resumption, serverTLS: tls, seed: seed)
        simulation.client.write(id, pattern(6_000, seed: seed), fin: true)
        var flight: [QUICDatagram] = []
        while let datagram = simulation.client.nextDatagram(at: simulation.now) { flight.append(datagram) }
        #expect(flight.count > 3)
        var random = SplitMix64(seed: 600 + seed)
        for datagram in (flight + flight).shuffled(using: &random) {
            var copy = datagram
            copy.local = Simulation.address("10.0.0.\(1 + random.next() % 3)", 40_000)
            simulation.inject(copy, toServer: true, after: .milliseconds(Int64(random.next() % 30)))
        }
        simulation.run(for: .seconds(20)) {
            simulation.serverEvents.contains { if case .closed = $0 { true } else { false } }
        }
        #expect(simulation.bytesAtServer.readableBytes <= 6_007)
    }
}

import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

@Suite struct HandshakeTests {
    @Test func completesInOneRoundTrip() throws {
        let simulation = try Simulation()
        let start = simulation.now
        #expect(simulation.run { simulation.client.isHandshakeCompleted })
        #expect(simulation.now - start == .milliseconds(20))
        #expect(
            simulation.run {
                simulation.client.isHandshakeConfirmed && simulation.server?.isHandshakeConfirmed == true
            })
        #expect(simulation.clientEvents.contains(.handshakeCompleted(alpn: "mqtt")))
        #expect(simulation.serverEvents.contains(.handshakeCompleted(alpn: "mqtt")))
        #expect(simulation.serverEvents.contains(.handshakeConfirmed))
        #expect(simulation.client.negotiatedALPN == "mqtt")
    }

    @Test func thePeersTransportParametersAreKnown() throws {
        var server = QUICConfiguration.test()
        server.maxBidiStreams = 7
        server.idleTimeout = .seconds(33)
        server.maxAckDelay = .milliseconds(12)
        server.initialMaxStreamData = 54_321
        let simulation = try Simulation(server: server)
        #expect(simulation.client.peerParameters == nil)
        #expect(simulation.run { simulation.client.isHandshakeCompleted })
        let parameters = try #require(simulation.client.peerParameters)
        #expect(parameters.initialMaxStreamsBidi == 7)
        #expect(parameters.idleTimeout == .seconds(33))
        #expect(parameters.maxAckDelay == .milliseconds(12))
        #expect(parameters.initialMaxStreamDataBidiRemote == 54_321)
        #expect(!parameters.disablesActiveMigration && !parameters.hasPreferredAddress)
        #expect(parameters.maxDatagramFrameSize == 0)
        // That is the room for which sockets are read.
        #expect(parameters.maxUDPPayloadSize == 2_048)
        #expect(simulation.server?.peerParameters?.initialMaxStreamsBidi == 10)
    }

    @Test(arguments: [
        ("rsa", "rsa-root.pem", "broker.test"),
        ("ecdsa", "ec-root.pem", "broker.test"),
        ("ecdsa", "ec-chain.pem", "broker.test"),
        ("ecdsa", "ec-middle.pem", "broker.test"),
        ("ecdsa", "ec-root.pem", "BROKER.test."),
        ("ecdsa", "ec-root.pem", "sensor-1.devices.test"),
        ("other", "ec-root.pem", "alternative.test"),
        ("address", "ec-root.pem", "10.0.0.2"),
        ("address", "ec-root.pem", "2001:db8::2"),
        ("address", "ec-root.pem", "2001:db8:0::0:2"),
    ])
    func trusts(server: String, ca: String, name: String) throws {
        let certificates = TestCertificates.shared
        let simulation = try Simulation(
            clientTLS: certificates.client(ca: ca), serverTLS: certificates.server(server), serverName: name)
        simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed }
        #expect(simulation.client.isHandshakeConfirmed, "\(String(describing: simulation.clientError))")
    }

    @Test(arguments: [
        (
            "ecdsa", "rsa-root.pem", "broker.test", 48,
            "certificate not trusted: 'CN=broker.test,O=Test', issued by 'CN=EC intermediate,O=Test', does not lead to"
        ),
        (
            "other", "rsa-root.pem", "other.test", 48,
            "certificate not trusted: 'CN=other.test,O=Test', issued by 'CN=EC root,O=Test', does not lead to a certificate "
                + "in \(TestCertificates.shared.path("rsa-root.pem")): is that the broker's CA? Where 'CN=EC root,O=Test' is an "
                + "intermediate CA, its certificate is missing"
        ),
        (
            "other", "ec-root.pem", "broker.test", 42,
            "the certificate's host names are other.test, alternative.test, 192.0.2.9, not 'broker.test': is"
        ),
        ("ecdsa", "ec-root.pem", "10.0.0.2", 42, "the certificate's host names are broker.test,"),
        ("address", "ec-root.pem", "10.0.0.3", 42, "the certificate's host names are 10.0.0.2,"),
        (
            "expired", "ec-root.pem", "broker.test", 45,
            "the certificate 'CN=expired,O=Test' expired on 2021-01-01T00:00:00Z"
        ),
        (
            "future", "ec-root.pem", "broker.test", 42,
            "the certificate 'CN=future,O=Test' is not valid before 2090-01-01T00:00:00Z: is this machine's clock right?"
        ),
        (
            "ecdsa", "expired-root.pem", "broker.test", 45,
            "the CA certificate 'CN=EC root,O=Test' in \(TestCertificates.shared.path("expired-root.pem")) expired on "
                + "2021-01-01T00:00:00Z: put the present one there, or correct this machine's clock"
        ),
        (
            "other", "future-root.pem", "other.test", 42,
            "the CA certificate 'CN=EC root,O=Test' in \(TestCertificates.shared.path("future-root.pem")) is not valid "
                + "before 2090-01-01T00:00:00Z: is this machine's clock right?"
        ),
        (
            "purpose", "ec-root.pem", "broker.test", 42,
            "the certificate 'CN=broker.test,O=Test' is not acceptable (GnuTLS: "
        ),
    ])
    func distrusts(server: String, ca: String, name: String, alert: UInt8, message: String) throws {
        let certificates = TestCertificates.shared
        let simulation = try Simulation(
            clientTLS: certificates.client(ca: ca), serverTLS: certificates.server(server), serverName: name)
        simulation.run(for: .seconds(5))
        let error = try #require(simulation.clientError)
        #expect(error.description.hasPrefix(message), "\(error)")
        // What was refused can still be looked at.
        #expect(simulation.client.peerCertificates.first.map { $0.signature.contains("SHA256") } == true)
        guard case .tlsAlert(alert, _, isRemote: true)? = simulation.serverError else {
            Issue.record("the server was told \(String(describing: simulation.serverError))")
            return
        }
    }

    @Test func aClientCertificateIsAccepted() throws {
        let simulation = try Simulation(
            clientTLS: TestCertificates.shared.client(showsCertificate: true),
            serverTLS: TestCertificates.shared.server(demandsClientCertificate: true))
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        let certificates = try #require(simulation.server?.tlsInfo?.peerCertificates)
        #expect(certificates.first?.subject.contains("CN=device-7") == true)
    }

    @Test func aMissingClientCertificateIsNamed() throws {
        let simulation = try Simulation(serverTLS: TestCertificates.shared.server(demandsClientCertificate: true))
        simulation.run(for: .seconds(5))
        #expect(simulation.serverError == .peerCertificateMissing)
        #expect(simulation.clientError == .clientCertificateRequired)
    }

    @Test func aClientCertificateOfAnotherAuthorityIsNamed() throws {
        let certificates = TestCertificates.shared
        let client = try QUICTLSContext.client(
            caFile: certificates.path("ec-root.pem"), certificateFile: certificates.path("other.pem"),
            keyFile: certificates.path("other.key"))
        let simulation = try Simulation(
            clientTLS: client, serverTLS: certificates.server(demandsClientCertificate: true))
        simulation.run(for: .seconds(5))
        guard case .clientCertificateRefused(alert: 48, _)? = simulation.clientError else {
            Issue.record("the client was told \(String(describing: simulation.clientError))")
            return
        }
        let text = simulation.clientError?.description ?? ""
        #expect(text.hasPrefix("the broker does not accept the configured client certificate (alert 48, "), "\(text)")
    }

    @Test func theServersFirstCommonProtocolIsTaken() throws {
        let simulation = try Simulation(
            client: .test { $0.alpn = ["mqtt", "mqtt-mux"] }, server: .test { $0.alpn = ["mqtt-mux", "mqtt"] })
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        #expect(simulation.client.negotiatedALPN == "mqtt-mux")
        #expect(simulation.server?.negotiatedALPN == "mqtt-mux")
    }

    @Test func noCommonProtocolEndsTheHandshake() throws {
        let simulation = try Simulation(
            client: .test { $0.alpn = ["mqtt-mux", "mqtt"] }, server: .test { $0.alpn = ["h3"] })
        simulation.run(for: .seconds(5))
        #expect(simulation.clientError == .alpnRefused(offered: ["mqtt-mux", "mqtt"]))
        #expect(
            simulation.clientError?.description
                == "the broker speaks none of the protocols offered over QUIC (ALPN mqtt-mux, mqtt): is it an MQTT listener?"
        )
    }

    @Test func aSilentAddressIsNoAnswer() throws {
        let simulation = try Simulation(client: .test { $0.handshakeTimeout = .seconds(5) })
        simulation.toServer.isCut = true
        let start = simulation.now
        simulation.run { simulation.clientError != nil }
        #expect(simulation.now - start == .seconds(5))
        #expect(simulation.clientError == .noAnswer(remote: "10.0.0.2:14567", after: .seconds(5)))
        #expect(simulation.client.isClosed)
        #expect(simulation.client.deadline == nil)
        #expect(simulation.sent.toServer > 1)
    }

    @Test func anAnswerThatLeadsNowhereIsAHandshakeTimeout() throws {
        let simulation = try Simulation()
        simulation.run { simulation.server != nil }
        simulation.toServer.isCut = true
        simulation.run { simulation.clientError != nil }
        // The client has finished its handshake, but the server never learns that.
        #expect(simulation.client.isHandshakeCompleted || simulation.clientError != nil)
        simulation.run(for: .seconds(20)) { simulation.serverError != nil }
        #expect(simulation.serverError == .handshakeTimeout(remote: "10.0.0.1:40000", after: .seconds(10)))
    }

    @Test func largeDatagramsThatVanishTimeOut() throws {
        let simulation = try Simulation()
        simulation.toClient.maximumSize = 1100
        simulation.run(for: .seconds(20)) { simulation.clientError != nil }
        #expect(simulation.clientError != nil)
        #expect(!simulation.client.isHandshakeCompleted)
    }

    @Test func tellsWhatWasAgreedOn() throws {
        let simulation = try Simulation()
        #expect(simulation.client.tlsInfo == nil)
        #expect(simulation.run { simulation.client.isHandshakeConfirmed })
        let info = try #require(simulation.client.tlsInfo)
        #expect(info.version == "TLS 1.3")
        #expect(info.cipher.contains("GCM") || info.cipher.contains("CHACHA20"))
        #expect(info.group == "X25519")
        #expect(info.peerCertificates.count == 2)
        let certificate = try #require(info.peerCertificates.first)
        #expect(certificate.subject == "CN=broker.test,O=Test")
        #expect(certificate.issuer == "CN=EC intermediate,O=Test")
        #expect(certificate.names == ["broker.test", "*.devices.test"])
        #expect(certificate.key.hasSuffix(" 256"))
        #expect(certificate.notAfter - certificate.notBefore == 825 * 86_400)
    }

    @Test(arguments: ["", "a\0b", String(repeating: "long.", count: 60)])
    func refusesNamesThatAreNone(name: String) {
        #expect(throws: QUICError.invalidServerName(name)) { try Simulation(serverName: name) }
    }
}

import NIOCore
import Testing

@testable import MQTTQUICClient

/// MQTT over TLS over TCP where QUIC does not get through.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ClientLinkFallbackTests {
    private func options(
        certificate: String = "server",
        _ configure: @escaping @Sendable (inout MQTTClientConfiguration) -> Void = { _ in }
    ) -> LinkScenario.Options {
        var options = LinkScenario.Options()
        options.broker.tlsCertificate = certificate
        options.configure = { configuration, _ in
            configuration.handshakeTimeout = .seconds(1)
            configure(&configuration)
        }
        return options
    }

    /// A network that drops UDP.
    private func runBlocked(
        _ options: LinkScenario.Options, _ body: @Sendable (LinkScenario, TestDialer) async throws -> Void
    ) async throws {
        try await UDPSink.run { sink in
            var options = options
            options.port = sink.port
            try await LinkScenario.run(options, body)
        }
    }

    @Test func whereUDPIsBlockedTLSIsUsedAndTriedFirstTheNextTime() async throws {
        try await runBlocked(options()) { scenario, dialer in
            let link = try await dialer.dial("link-1")
            let facts = try await link.connects()
            #expect(facts.transport == .tls)
            let port = try #require(scenario.broker.tlsPort)
            #expect(facts.remoteAddress.hasSuffix(":\(port)"))
            try await link.publish("news", "hello", packetID: 1)
            let data = try await link.run { $0.openDataStream() }
            #expect(data == nil)
            try await link.disconnects()
            try await scenario.broker.logs("Client link-1 disconnected")
            // QUIC is left alone for a while, so the handshake with TLS is all that takes time.
            let next = try await dialer.run { dialer in
                var plan = dialer.plan
                return plan.begin(at: .now())
            }
            guard case .dial(.tls, _) = next else {
                Issue.record("not TLS first: \(next)")
                return
            }
        }
    }

    /// A server that does not speak MQTT over QUIC is left at once: the handshake would have a minute.
    @Test func anotherProtocolOverQUICLeadsToTLSAtOnce() async throws {
        var options = options {
            $0.handshakeTimeout = .seconds(60)
            $0.connectTimeout = .seconds(120)
        }
        options.front.alpn = ["h3"]
        try await LinkScenario.run(options) { _, dialer in
            let link = try await dialer.dial("link-1")
            let facts = try await link.connects()
            #expect(facts.transport == .tls)
            try await link.disconnects()
        }
    }

    @Test func aWrongCertificateOverQUICLeadsNowhere() async throws {
        var options = options()
        options.front.certificate = "wrong-name"
        try await LinkScenario.run(options) { scenario, dialer in
            let (error, isRetryUseful) = try await dialer.dial("link-1").fails()
            guard case .certificateRefused = error else {
                Issue.record("another error: \(error)")
                return
            }
            #expect(!isRetryUseful)
        }
    }

    @Test(arguments: [("wrong-name", "broker.example.org"), ("expired", "expired")])
    func theCertificateOfTheFallbackIsVerifiedTheSame(_ certificate: String, _ word: String) async throws {
        try await runBlocked(options(certificate: certificate)) { _, dialer in
            let (error, isRetryUseful) = try await dialer.dial("link-1").fails()
            guard case .certificateRefused = error else {
                Issue.record("another error: \(error)")
                return
            }
            #expect(!isRetryUseful && "\(error)".contains(word), "\(error)")
        }
    }

    @Test func aClientCertificateIsShownThere() async throws {
        var options = options()
        options.broker.tlsLines = ["cafile $CERTIFICATES/ca.pem", "require_certificate true"]
        let plain = options.configure
        options.configure = { configuration, certificates in
            plain(&configuration, certificates)
            configuration.tls.clientCertificate = .init(
                chainFile: certificates.certificate("client"), keyFile: certificates.key("client"))
        }
        try await runBlocked(options) { _, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await link.disconnects()
        }
        // Without one, the broker ends the connection after the handshake.
        options.configure = plain
        try await runBlocked(options) { _, dialer in
            let (error, isRetryUseful) = try await dialer.dial("link-1").fails()
            guard case .clientCertificateRefused = error else {
                Issue.record("another error: \(error)")
                return
            }
            #expect(!isRetryUseful)
        }
    }

    @Test func whereNeitherWorksBothAreNamed() async throws {
        let free = try Toolbox.freePort()
        try await runBlocked(options { $0.fallback = .init(port: free) }) { _, dialer in
            let (error, isRetryUseful) = try await dialer.dial("link-1").fails()
            #expect("\(error)".contains("over QUIC: no answer") && "\(error)".contains("over TLS: "), "\(error)")
            #expect(isRetryUseful)
        }
    }

    @Test func aBrokerThatDiesIsALoss() async throws {
        try await runBlocked(options()) { scenario, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await scenario.broker.kill()
            let (error, isRetryUseful) = try await link.fails()
            guard case .connectionLost = error else {
                Issue.record("another error: \(error)")
                return
            }
            #expect(isRetryUseful)
        }
    }

    @Test func aFullLinkSaysWhenThereIsRoom() async throws {
        try await runBlocked(options()) { _, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await link.fillsUpAndHasRoomAgain(bytes: 8_000_000)
            try await link.disconnects()
        }
    }
}

import Foundation
import NIOCore
import NIOPosix
import QUICTransport
import Testing

@testable import MQTTQUICClient

/// What a caller of the client library is told when there is no link, and which other ways are tried.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ClientLinkFailureTests {
    private func expectFailure(
        _ options: LinkScenario.Options, says words: [String], isRetryUseful: Bool, sendsConnect: Bool = false
    ) async throws -> MQTTClientError? {
        let told = EventLog<MQTTClientError>()
        try await LinkScenario.run(options) { scenario, dialer in
            let (error, isUseful) = try await dialer.dial("link-1").fails()
            for word in words { #expect("\(error)".contains(word), "'\(word)' in: \(error)") }
            #expect(isUseful == isRetryUseful)
            if let front = scenario.farEnd.front, !sendsConnect {
                #expect(try await front.connects(of: "link-1").isEmpty)
            }
            await told.append(error)
        }
        return await told.all.first
    }

    // MARK: - Certificates

    struct Certificate: Sendable, CustomTestStringConvertible {
        var server = "server"
        var clientCA: String?
        var ca = "ca"
        var client: String?
        var serverName: String?
        var words: [String]
        /// Whether it is about the client's certificate.
        var isClients = false

        var testDescription: String { words.joined(separator: ", ") }
    }

    @Test(arguments: [
        Certificate(ca: "other-ca", words: ["other-ca.pem", "is that the broker's CA?"]),
        Certificate(server: "wrong-name", words: ["broker.example.org", "not 'localhost'"]),
        Certificate(serverName: "broker.example.org", words: ["not 'broker.example.org'"]),
        Certificate(server: "expired", words: ["expired"]),
        Certificate(server: "not-yet-valid", words: ["not valid before"]),
        Certificate(clientCA: "ca", words: ["demands a client certificate"], isClients: true),
    ])
    func certificates(_ certificate: Certificate) async throws {
        var options = LinkScenario.Options()
        options.front.certificate = certificate.server
        options.front.clientCA = certificate.clientCA
        options.configure = { configuration, certificates in
            configuration.tls.trust = .file(certificates.certificate(certificate.ca))
            configuration.tls.serverName = certificate.serverName
        }
        // With TLS 1.3 the client hears what the server thinks of its certificate only after CONNECT has gone out.
        let error = try await expectFailure(
            options, says: certificate.words, isRetryUseful: false, sendsConnect: certificate.isClients)
        switch error {
        case .certificateRefused("localhost", _): #expect(!certificate.isClients)
        case .clientCertificateRefused: #expect(certificate.isClients)
        default: Issue.record("another error: \(error.map { "\($0)" } ?? "none")")
        }
    }

    @Test func aClientCertificateIsShown() async throws {
        var options = LinkScenario.Options()
        options.front.clientCA = "ca"
        options.configure = { configuration, certificates in
            configuration.tls.clientCertificate = .init(
                chainFile: certificates.certificate("client"), keyFile: certificates.key("client"))
        }
        try await LinkScenario.run(options) { _, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await link.disconnects()
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost"]) func namesAndAddressesAreVerified(_ host: String) async throws {
        var options = LinkScenario.Options()
        options.configure = { configuration, certificates in
            configuration.host = host
            let text = try? String(contentsOfFile: certificates.certificate("ca"), encoding: .utf8)
            configuration.tls.trust = .pem(text ?? "")
        }
        try await LinkScenario.run(options) { _, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await link.disconnects()
        }
    }

    @Test func filesThatCannotBeUsedAreNamed() async throws {
        for (trust, path) in [
            (MQTTClientConfiguration.TLS.Trust.file("/nonexistent/ca.pem"), "/nonexistent/ca.pem"),
            (.pem("no certificate"), "the given PEM text"),
        ] {
            var options = LinkScenario.Options()
            options.configure = { configuration, _ in configuration.tls.trust = trust }
            let error = try await expectFailure(options, says: [path], isRetryUseful: false)
            guard case .invalidTLSFile(path, _) = error else {
                Issue.record("another error: \(error.map { "\($0)" } ?? "none")")
                return
            }
        }
    }

    // MARK: - Nobody there

    @Test func silenceIsNamedWithItsTime() async throws {
        try await UDPSink.run { sink in
            var options = LinkScenario.Options()
            options.port = sink.port
            options.configure = { configuration, _ in configuration.handshakeTimeout = .milliseconds(300) }
            let error = try await expectFailure(options, says: ["no answer", "0.3"], isRetryUseful: true)
            guard case .unreachable = error else {
                Issue.record("another error: \(error.map { "\($0)" } ?? "none")")
                return
            }
        }
    }

    @Test func aNameThatIsNotFoundIsNamed() async throws {
        try await TestDialer.with(
            MQTTClientConfiguration(host: "nowhere.example"),
            resolve: { host, _, loop in
                loop.makeFailedFuture(QUICResolutionError(host: host, reason: "Name or service not known"))
            },
            { dialer in
                let (error, isRetryUseful) = try await dialer.dial("link-1").fails()
                #expect(error == .nameNotFound(host: "nowhere.example", detail: "Name or service not known"))
                #expect(isRetryUseful)
            })
    }

    @Test func anotherProtocolIsNamed() async throws {
        var options = LinkScenario.Options()
        options.front.alpn = ["h3"]
        let error = try await expectFailure(options, says: ["mqtt"], isRetryUseful: false)
        guard case .applicationProtocolNotOffered(_, "mqtt") = error else {
            Issue.record("another error: \(error.map { "\($0)" } ?? "none")")
            return
        }
    }

    @Test func aBurstThatIsRefusedIsTriedAgain() async throws {
        try await LinkScenario.run { scenario, dialer in
            try await scenario.front.refuseHandshakes(5)
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            #expect(try await scenario.front.said("refused") == 5)
            try await link.disconnects()
        }
    }

    @Test func aBrokerThatOnlyRefusesIsNamed() async throws {
        var options = LinkScenario.Options()
        options.broker.tlsCertificate = "server"
        options.configure = { configuration, _ in configuration.connectTimeout = .seconds(3) }
        try await LinkScenario.run(options) { scenario, dialer in
            try await scenario.front.refuseHandshakes()
            let (error, isRetryUseful) = try await dialer.dial("link-1").fails()
            // A busy broker is not asked over TLS.
            #expect(isRetryUseful && "\(error)".contains("refuses connections now"), "\(error)")
        }
    }

    // MARK: - Given up

    /// Nothing is left of a link that is given up while it is being made: neither sockets nor what waits for DNS.
    @Test func aLinkThatIsGivenUpLeavesNothing() async throws {
        try await UDPSink.run { sink in
            var configuration = MQTTClientConfiguration(host: "127.0.0.1", port: sink.port)
            configuration.tls.trust = .file(try await Certificates.make().certificate("ca"))
            try await TestDialer.with(configuration) { dialer in
                let link = try await dialer.dial("link-1")
                try await dialer.waits { $0.plan.isDialing }
                try await link.run { $0.abort() }
                #expect(try await link.ends() == .finished)
                // The end of the test checks the sockets.
            }
        }
    }

    @Test func aLinkThatIsGivenUpInTheTickOfItsDialNeverBegins() async throws {
        try await LinkScenario.run { scenario, dialer in
            let link = try await dialer.dial("link-1", isAborted: true)
            #expect(try await link.ends() == .finished)
            let next = try await dialer.dial("link-2")
            _ = try await next.connects()
            #expect(try await scenario.front.handshakes.count == 1)
            try await next.disconnects()
        }
    }

    @Test func aLookupThatHangsIsSharedAndLeft() async throws {
        let lookups = EventLog<String>()
        let (stream, feed) = AsyncStream.makeStream(of: String.self)
        let counting = Task { for await host in stream { await lookups.append(host) } }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let never = loop.makePromise(of: [SocketAddress].self)
        var configuration = MQTTClientConfiguration(host: "slow.example")
        configuration.tls.trust = .file(try await Certificates.make().certificate("ca"))
        configuration.connectTimeout = .seconds(1)
        try await TestDialer.with(
            configuration,
            resolve: { host, _, loop in
                feed.yield(host)
                return never.futureResult.hop(to: loop)
            },
            { dialer in
                for number in 1...3 {
                    let (error, _) = try await dialer.dial("link-\(number)").fails()
                    #expect("\(error)".contains("slow.example"), "\(error)")
                }
                // The loop that waits for it must still be there.
                never.fail(HarnessError("the test is over"))
                try await dialer.waits { !$0.isLookingUp }
            })
        feed.finish()
        await counting.value
        #expect(await lookups.all == ["slow.example"])
    }
}

import BrokerProbe
import Foundation
import Synchronization
import Testing

/// `mqtt-quic-bridge probe` against brokers of all kinds. It has no mapping, so one run is enough.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ProbeTests {
    /// Runs Mosquitto and a front for it while `body` runs.
    static func run(
        _ options: Front.Options = .init(), broker brokerOptions: Broker.Options = .init(),
        _ body: (Front, Broker) async throws -> Void
    ) async throws {
        try await TestPrograms.run { folder, processes in
            let broker = try await Broker.start(in: folder, brokerOptions)
            await processes.append(broker.process)
            let front = try await Front.start(broker: broker.port, options)
            await processes.append(front.process)
            try await body(front, broker)
        }
    }

    // MARK: - Brokers that work

    @Test func everythingIsFoundOutAboutAnEMQX() async throws {
        var broker = Broker.Options()
        broker.tlsCertificate = "server"
        try await Self.run(.with { $0.tickets = .earlyData }, broker: broker) { front, broker in
            let tls = try #require(broker.tlsPort)
            let answer = try await ProbeAnswer.probe(
                "localhost:\(front.port)", ["-4", "--connections", "6", "--fallback-port", "\(tls)"])
            #expect(answer.result.ok && answer.result.exitCode == 0, "\(answer)")
            #expect(
                answer.steps.map(\.name) == [
                    "resolve", "handshake", "certificate", "parameters", "connect", "datagrams", "rebind", "streams",
                    "tickets", "burst", "fallback",
                ])
            #expect(answer.handshake?.alpn == "mqtt" && answer.session?.version == "5.0" && answer.session?.code == 0)
            #expect(answer.chain?.certificates.first?.subject == "CN=localhost" && answer.chain?.problem == nil)
            #expect(answer.chain?.certificates.first?.signature == "ECDSA-SHA256")
            #expect(answer.datagrams?.bytes ?? 0 > 1_200)
            #expect(answer.rebind?.proof == "PINGREQ" && answer.rebind?.milliseconds != nil)
            #expect(answer.rebind?.fromPort != answer.rebind?.toPort)
            #expect(answer.streams?.use == "data-streams" && answer.streams?.allowed == 10)
            let tickets = try #require(answer.tickets)
            #expect(tickets.hasTicket && tickets.allowsEarlyData && tickets.isResumed && tickets.isEarlyDataAccepted)
            #expect(answer.burst?.accepted == 6 && answer.burst?.refused == 0 && answer.burst?.failed == 0)
            #expect(answer.fallback?.port == tls && answer.fallback?.milliseconds != nil)
            try await Self.checkIsLeftAlone(front)
        }
    }

    /// Nothing that a replay could do harm with goes out early, and nothing but CONNECT, PINGREQ, UNSUBSCRIBE and
    /// DISCONNECT at all.
    private static func checkIsLeftAlone(_ front: Front) async throws {
        let events = try await front.reported()
        let packets = events.filter { $0.event == "packet" && $0.sender == "client" }
        #expect(Set(packets.compactMap(\.type)) == ["CONNECT", "PINGREQ", "UNSUBSCRIBE", "DISCONNECT"])
        #expect(packets.count { $0.type == "CONNECT" } == 1)
        let early = Set(events.filter { $0.event == "handshake" && $0.earlyData == true }.compactMap(\.connection))
        #expect(early.count == 1)
        #expect(!packets.contains { packet in packet.connection.map { early.contains($0) } ?? false })
    }

    /// What is advised for bridge.yaml reaches the broker.
    @Test func theAdviceWorks() async throws {
        try await Self.run { front, _ in
            let answer = try await ProbeAnswer.probe("localhost:\(front.port)", ["-4", "--gentle"])
            #expect(answer.result.ok && answer.burst == nil && answer.rebind == nil && answer.fallback == nil)
            let folder = try Folder()
            defer { folder.remove() }
            let text = try #require(answer.configuration).replacing("127.0.0.1:1883", with: "127.0.0.1:0")
            let file = try folder.write("bridge.yaml", text)
            let (end, said) = try await CheckTests.bridge(["check", "--connect", "--config", file])
            #expect(end == .exit(0), "\(said)")
        }
    }

    @Test func serveIsAMux() async throws {
        var options = ServeScenario.Options()
        options.serve = ["ticket_key_file: ticket.key"]
        try await ServeScenario.run(options) { scenario in
            let endpoint = "localhost:\(scenario.serve.port)"
            let arguments = ["-4", "--connections", "4", "--fallback-port", "0"]
            let answer = try await ProbeAnswer.probe(endpoint, arguments)
            #expect(
                answer.result.ok && answer.handshake?.alpn == "mqtt-mux" && answer.streams?.use == "mux", "\(answer)")
            #expect(answer.rebind?.milliseconds != nil && answer.burst?.accepted == 4)
            #expect(answer.tickets?.isResumed == true)
            #expect(answer.configuration?.contains("mapping: mux") == true)
            // With the other protocol there may be many streams, but only the first is of use.
            let single = try await ProbeAnswer.probe(endpoint, arguments + ["--alpn", "mqtt"])
            #expect(
                single.result.ok && single.streams?.use == "single" && single.streams?.allowed ?? 0 > 1, "\(single)")
        }
    }

    @Test func aBrokerOfAnOlderVersionIsAskedInThat() async throws {
        try await Self.run { front, _ in
            try await front.refuseConnects(with: 0x84, times: 1)
            let answer = try await ProbeAnswer.probe("127.0.0.1:\(front.port)", ["--gentle"])
            #expect(answer.result.ok && answer.session?.version == "3.1.1" && answer.session?.code == 0, "\(answer)")
        }
    }

    // MARK: - Brokers with something to know about

    @Test func aBrokerThatRefusesPartOfABurstCanBeUsed() async throws {
        try await Self.run(
            .with {
                $0.acceptors = 3
                $0.acceptDelay = 100
            }
        ) { front, _ in
            let answer = try await ProbeAnswer.probe(
                "127.0.0.1:\(front.port)", ["--connections", "12", "--fallback-port", "0"])
            let burst = try #require(answer.burst)
            #expect(answer.result.ok && answer.outcome("burst") == "warning", "\(answer)")
            #expect(
                burst.refused > 0 && burst.accepted > 0 && burst.accepted + burst.refused == 12 && burst.failed == 0)
        }
    }

    @Test func aBrokerThatLosesAClientWithItsAddressIsWarnedOf() async throws {
        try await Self.run(.with { $0.followedRebinds = 0 }) { front, _ in
            let answer = try await ProbeAnswer.probe(
                "127.0.0.1:\(front.port)", ["--connections", "0", "--fallback-port", "0", "--timeout", "2"])
            #expect(answer.result.ok && answer.outcome("rebind") == "warning", "\(answer)")
            #expect(answer.rebind?.milliseconds == nil && answer.rebind?.toPort != nil)
            #expect(answer.outcome("burst") == "skipped")
        }
    }

    @Test func ticketsWithoutEarlyDataAreNoReasonToWarn() async throws {
        try await Self.run(.with { $0.tickets = .resume }) { front, _ in
            let answer = try await ProbeAnswer.probe(
                "127.0.0.1:\(front.port)", ["--connections", "0", "--fallback-port", "0"])
            let tickets = try #require(answer.tickets)
            #expect(tickets.isResumed && !tickets.allowsEarlyData && !tickets.isEarlyDataAccepted)
            #expect(answer.outcome("tickets") == "ok")
        }
    }

    // MARK: - Brokers that cannot be used

    @Test func aRefusalDoesNotEndTheProbe() async throws {
        try await Self.run { front, _ in
            try await front.refuseConnects(with: 0x87)
            let answer = try await ProbeAnswer.probe(
                "127.0.0.1:\(front.port)", ["--connections", "4", "--fallback-port", "0", "-u", "plc", "-P", "wrong"])
            #expect(answer.result.failure == "refused" && answer.result.exitCode == 77)
            #expect(answer.result.reason?.contains("0x87, not authorized") == true)
            #expect(answer.rebind?.proof == "QUIC PING" && answer.rebind?.milliseconds != nil)
            #expect(answer.burst?.accepted == 4 && answer.datagrams != nil)
            #expect(answer.configuration?.contains("0x87, not authorized") == true)
        }
    }

    @Test(arguments: [
        ("wrong-name", "ca", "broker.example.org"), ("expired", "ca", "expired on"),
        ("not-yet-valid", "ca", "is not valid before"), ("server", "other-ca", "certificate not trusted"),
        ("expired-ca-server", "expired-ca", "the CA certificate 'CN=Expired CA' in "),
    ])
    func aBadCertificateIsShownAndNothingElseIsDone(name: String, ca: String, words: String) async throws {
        let file = try await Certificates.make().certificate(ca)
        try await Self.run(.with { $0.certificate = name }) { front, _ in
            let answer = try await ProbeAnswer.probe("localhost:\(front.port)", ["-4", "--cafile", file])
            #expect(answer.result.failure == "certificate" && answer.result.exitCode == 65, "\(answer)")
            #expect(answer.result.reason?.contains(words) == true)
            #expect(answer.chain?.certificates.isEmpty == false && answer.chain?.problem == answer.result.reason)
            #expect(answer.steps.map(\.name) == ["resolve", "handshake", "certificate"])
            #expect(answer.configuration == nil && answer.session == nil)
            #expect(try await front.said("packet") == 0)
        }
    }

    @Test func anotherProtocolIsNoMQTT() async throws {
        try await Self.run(.with { $0.alpn = ["h3"] }) { front, _ in
            let answer = try await ProbeAnswer.probe("127.0.0.1:\(front.port)")
            #expect(answer.result.failure == "protocol" && answer.result.exitCode == 76, "\(answer)")
        }
    }

    @Test func aBrokerThatTakesNobodyIsBusy() async throws {
        try await Self.run { front, _ in
            try await front.refuseHandshakes()
            let answer = try await ProbeAnswer.probe("127.0.0.1:\(front.port)")
            #expect(answer.result.failure == "busy" && answer.result.exitCode == 75, "\(answer)")
        }
    }

    @Test func aClosedPortIsToldFromOneThatSwallows() async throws {
        let closed = try await ProbeAnswer.probe(
            "127.0.0.1:\(try Toolbox.freePort())", ["--timeout", "1", "--fallback-port", "0"])
        #expect(closed.result.failure == "unreachable" && closed.result.exitCode == 69)
        #expect(closed.result.reason?.contains("nothing listens at UDP port") == true, "\(closed)")
        try await UDPSink.run { sink in
            let silent = try await ProbeAnswer.probe(
                "127.0.0.1:\(sink.port)", ["--timeout", "1", "--fallback-port", "0"])
            #expect(silent.result.failure == "unreachable" && silent.result.exitCode == 69)
            #expect(silent.result.reason?.contains("no answer from 127.0.0.1") == true, "\(silent)")
        }
    }

    /// Where UDP is blocked, it is good to know that there is another way.
    @Test(arguments: [[], ["--gentle"]])
    func theFallbackIsTriedWhereUDPIsBlocked(options: [String]) async throws {
        var broker = Broker.Options()
        broker.tlsCertificate = "server"
        try await Self.run(broker: broker) { _, broker in
            let tls = try #require(broker.tlsPort)
            try await UDPSink.run { sink in
                let answer = try await ProbeAnswer.probe(
                    "127.0.0.1:\(sink.port)", ["--timeout", "1", "--fallback-port", "\(tls)"] + options)
                #expect(answer.result.exitCode == 69 && answer.fallback?.milliseconds != nil, "\(answer)")
            }
        }
    }

    @Test func aNamedFallbackThatIsClosedIsAFailureOfItsOwn() async throws {
        try await Self.run { front, _ in
            let answer = try await ProbeAnswer.probe(
                "127.0.0.1:\(front.port)", ["--gentle", "--fallback-port", "\(try Toolbox.freePort())"])
            #expect(answer.result.failure == "fallback" && answer.result.exitCode == 1, "\(answer)")
            #expect(answer.session?.code == 0 && answer.fallback?.problem != nil)
        }
    }

    @Test func anUnknownNameHasAnExitCodeOfItsOwn() async throws {
        let answer = try await ProbeAnswer.probe("name.invalid", ["--timeout", "30"])
        #expect(answer.result.failure == "name" && answer.result.exitCode == 68 && answer.steps.count == 1, "\(answer)")
    }
}

extension Front.Options {
    /// The default options with a change.
    static func with(_ change: (inout Front.Options) -> Void) -> Front.Options {
        var options = Front.Options()
        change(&options)
        return options
    }
}

import MQTTCodec
import QUICTransport
import Testing

@testable import BrokerProbe

struct ProbeStepTests {
    private static let target = ProbeReport.Target(
        host: "broker.test", port: 14567, serverName: "broker.test", caFile: "ca.pem")
    private static let day: Int64 = 86_400
    private static let now: Int64 = 1_800_000_000

    private static func certificate(
        daysLeft: Int64 = 200, names: [String] = ["broker.test"], issuer: String = "CN=CA",
        signature: String = "RSA-SHA256"
    ) -> QUICCertificate {
        QUICCertificate(
            subject: "CN=broker.test", issuer: issuer, names: names, notBefore: now - 10 * day,
            notAfter: now + daysLeft * day, key: "RSA 2048", signature: signature)
    }

    private static func step(_ certificate: QUICCertificate, problem: String? = nil) -> ProbeStep {
        .certificate(ChainFinding([certificate], problem: problem, now: now), target: target)
    }

    // MARK: - Certificates

    @Test func aGoodCertificateIsShownInFull() {
        let step = Self.step(Self.certificate())
        #expect(step.outcome == .ok && step.warnings.isEmpty)
        #expect(step.summary == "verified for broker.test by ca.pem")
        #expect(
            step.details == [
                "1  CN=broker.test", "   for broker.test", "   issued by CN=CA", "   RSA 2048, signed with RSA-SHA256",
                "   valid until \(UTCTime(Self.now + 200 * Self.day)), 200 days left",
            ])
    }

    @Test(
        arguments: [
            (30, nil), (29, "expires within 30 days: renew it"), (0, "expires within 1 day: renew it"),
            (-1, "has expired"),
        ] as [(Int64, String?)])
    func aCertificateThatExpiresSoonIsWarnedOf(daysLeft: Int64, words: String?) {
        let step = Self.step(Self.certificate(daysLeft: daysLeft))
        #expect(step.outcome == (words == nil ? .ok : .warning))
        #expect(step.warnings.first?.contains(words ?? "") == (words == nil ? nil : true))
    }

    @Test(arguments: [
        (Int64(0), 0), (86_399, 0), (86_400, 1), (-1, -1), (-86_400, -1), (-86_401, -2), (.max, 106_751_991_167_300),
    ])
    func daysAreRoundedDown(secondsLeft: Int64, days: Int) {
        var certificate = Self.certificate()
        certificate.notAfter = secondsLeft
        #expect(ChainFinding([certificate], problem: nil, now: 0).certificates.first?.daysLeft == days)
        certificate.notAfter = .min
        #expect(ChainFinding([certificate], problem: nil, now: 1).certificates.count == 1)
    }

    @Test func aWeakSignatureIsWarnedOfExceptThatOfARoot() {
        #expect(Self.step(Self.certificate(signature: "RSA-SHA1")).warnings.first?.contains("can be forged") == true)
        let root = Self.step(Self.certificate(issuer: "CN=broker.test", signature: "RSA-SHA1"))
        #expect(root.outcome == .ok)
    }

    @Test func aRefusedChainIsShownWithAdvice() {
        let problem = "\(QUICError.hostNameMismatch(expected: "broker.test", names: ["other.test"]))"
        let step = Self.step(Self.certificate(names: ["*.other.test", "other.test"]), problem: problem)
        #expect(step.outcome == .failed && step.summary == problem)
        #expect(step.details.contains("1  CN=broker.test"))
        #expect(step.details.last?.contains("--server-name other.test") == true)
        let untrusted = Self.step(Self.certificate(), problem: "certificate not trusted")
        #expect(!untrusted.details.contains { $0.contains("--server-name") })
        let none = ProbeStep.certificate(ChainFinding([], problem: "none", now: 0), target: Self.target)
        #expect(none.details.isEmpty)
    }

    // MARK: - The session

    private static func session(_ version: String, code: UInt8, id: Bool = false, user: Bool = true) -> SessionFinding {
        var session = SessionFinding(version: version, clientID: "probe1", isClientIDGiven: id, isUsernameGiven: user)
        session.note(Connack(code: code))
        return session
    }

    @Test(arguments: [
        ("5.0", UInt8(0x86), ProbeFailure.Kind.refused, "0x86, bad user name or password"),
        ("5.0", 0x87, .refused, "0x87, not authorized"), ("5.0", 0x89, .busy, "0x89, server busy"),
        ("5.0", 0x97, .busy, "0x97, quota exceeded"), ("3.1.1", 3, .busy, "3, server unavailable"),
        ("3.1.1", 5, .refused, "5, not authorized"), ("3.1.1", 1, .refused, "1, unacceptable protocol version"),
    ])
    func aRefusalIsShownWithItsReason(version: String, code: UInt8, kind: ProbeFailure.Kind, words: String) {
        let session = Self.session(version, code: code)
        #expect(session.failure?.kind == kind && session.failure?.reason.contains(words) == true)
        #expect(ProbeStep.connect(session).outcome == .failed)
    }

    @Test func aRefusalSaysWhatMayHelp() {
        func details(id: Bool, user: Bool) -> String {
            ProbeStep.connect(Self.session("5.0", code: 0x87, id: id, user: user)).details.joined(separator: "\n")
        }
        #expect(details(id: false, user: false).contains("-u"))
        #expect(details(id: false, user: true).contains("-i sets it"))
        #expect(!details(id: true, user: true).contains("-i"))
    }

    @Test func theBrokersOwnWordsAreShownHarmlessly() {
        var session = Self.session("5.0", code: 0)
        session.note(Connack(code: 0x87, properties: [.reasonString("no\u{1B}[2J")]))
        #expect(session.failure?.reason.contains("no\\u{1B}[2J") == true)
    }

    @Test func anAcceptedSessionShowsItsLimits() {
        var session = Self.session("5.0", code: 0)
        session.note(
            Connack(
                code: 0,
                properties: [
                    .maximumQoS(.atLeastOnce), .retainAvailable(false), .maximumPacketSize(1_000), .receiveMaximum(5),
                    .serverKeepAlive(30), .assignedClientIdentifier("x"), .sharedSubscriptionAvailable(false),
                ]))
        let step = ProbeStep.connect(session)
        #expect(step.outcome == .ok && session.failure == nil)
        #expect(
            step.details == [
                "assigned client id \"x\"", "QoS up to 1", "no retained messages", "packets up to 1000 bytes",
                "5 unacknowledged messages at once", "keepalive 30 s", "no shared subscriptions",
            ])
    }

    // MARK: - The rest

    @Test func anAddressThatDoesNotWorkIsWarnedOf() {
        let handshake = HandshakeFinding(
            address: "192.0.2.1:14567", milliseconds: 12.34, roundTripMilliseconds: 5, tlsVersion: "TLS 1.3",
            cipher: "AES-128-GCM", group: "X25519", alpn: "mqtt", alpnOffered: ["mqtt-mux", "mqtt"],
            failedAttempts: [.init(address: "[2001:db8::1]:14567", problem: "no answer")])
        let step = ProbeStep.handshake(handshake)
        #expect(step.outcome == .warning && step.warnings.first?.contains("[2001:db8::1]:14567") == true)
        #expect(step.details.contains("ALPN mqtt, offered mqtt-mux, mqtt"))
    }

    @Test(arguments: [(1_200, ProbeStep.Outcome.warning), (1_232, .ok), (1_444, .ok)])
    func onlySmallDatagramsAreWorthAWarning(bytes: Int, outcome: ProbeStep.Outcome) {
        #expect(ProbeStep.datagrams(.init(bytes: bytes, limit: 1_452), milliseconds: 1).outcome == outcome)
        let unfinished = ProbeStep.datagrams(.init(bytes: bytes, limit: 1_452, isFinal: false), milliseconds: 1)
        #expect(unfinished.outcome == .ok && unfinished.details.first?.contains("may pass") == true)
    }

    @Test func aLostRebindIsWarnedOf() {
        let good = ProbeStep.rebind(.init(proof: .pingreq, fromPort: 1, toPort: 2, milliseconds: 3))
        #expect(good.outcome == .ok && good.summary.contains("from UDP port 1 to 2"))
        let bad = ProbeStep.rebind(.init(proof: .quicPing, problem: "no answer within 5.0 s"))
        #expect(bad.outcome == .warning && bad.warnings.first?.contains("no answer within 5.0 s") == true)
    }

    @Test(arguments: [
        (StreamsFinding.Use.mux, "mapping mux"), (.dataStreams, "data-stream"), (.single, "mapping connection"),
        (.unknown, "not known"),
    ])
    func streamsNameTheMapping(use: StreamsFinding.Use, words: String) {
        #expect(ProbeStep.streams(.init(use: use, allowed: 10)).summary.contains(words))
    }

    @Test func ticketsAreJudged() {
        #expect(ProbeStep.tickets(TicketFinding(hasTicket: false), isTried: true).outcome == .ok)
        var tickets = TicketFinding(hasTicket: true)
        (tickets.lifetime, tickets.allowsEarlyData) = (7_200, true)
        #expect(
            ProbeStep.tickets(tickets, isTried: false).summary
                == "session ticket, valid for 2 h, allows 0-RTT; not tried")
        #expect(ProbeStep.tickets(tickets, isTried: true).outcome == .warning)
        (tickets.isResumed, tickets.isEarlyDataAccepted) = (true, true)
        let good = ProbeStep.tickets(tickets, isTried: true)
        #expect(good.outcome == .ok && good.summary.hasSuffix("second handshake resumed, 0-RTT accepted"))
        tickets.isEarlyDataAccepted = false
        #expect(ProbeStep.tickets(tickets, isTried: true).summary.hasSuffix("0-RTT not accepted"))
        tickets.problem = "no answer"
        #expect(ProbeStep.tickets(tickets, isTried: true).outcome == .warning)
    }

    @Test func aBurstIsCounted() {
        var burst = BurstFinding(connections: 8)
        burst.accepted = 8
        #expect(ProbeStep.burst(burst).outcome == .ok)
        (burst.accepted, burst.refused, burst.failed, burst.problem) = (5, 2, 1, "no answer")
        let step = ProbeStep.burst(burst)
        #expect(step.outcome == .warning && step.summary == "5 of 8 connections at once accepted")
        #expect(step.warnings.count == 2 && step.warnings[1].contains("no answer"))
    }

    @Test func aFallbackThatWasNamedHasToWork() {
        let closed = FallbackFinding(port: 8884, problem: "refused")
        #expect(ProbeStep.fallback(closed, isRequired: true).outcome == .failed)
        #expect(ProbeStep.fallback(closed, isRequired: false).outcome == .warning)
        #expect(ProbeStep.fallback(.init(port: 8884, milliseconds: 20), isRequired: true).outcome == .ok)
    }

    @Test(arguments: [
        (0.0, "0.0 ms"), (14.24, "14.2 ms"), (999.96, "1000.0 ms"), (1_000, "1.0 s"), (.infinity, "?"), (.nan, "?"),
    ])
    func timesAreShort(milliseconds: Double, text: String) {
        #expect(Words.milliseconds(milliseconds) == text)
    }

    @Test(arguments: [
        (Int64(90), "90 s"), (60, "1 min"), (7_200, "2 h"), (604_800, "7 d"), (0, "0 s"), (3_601, "3601 s"),
    ])
    func spansAreWhole(seconds: Int64, text: String) {
        #expect(Words.span(seconds) == text)
    }
}

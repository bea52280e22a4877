import MQTTCodec
import NIOCore
import TestSupport
import Testing

@testable import BridgeCore

@Suite struct GatewaySessionTests {
    private func session(
        _ version: MQTTVersion = .v5_0, number: Int = 1, keepAlive: Duration = .seconds(60)
    ) -> GatewaySession {
        GatewaySession(
            identity: GatewayIdentity(
                clientID: "gw", username: "site", password: Secret("p#1"), keepAlive: keepAlive),
            number: number, version: version, connectTimeout: .seconds(5))
    }

    private func element(_ packet: Packet, _ version: MQTTVersion) throws -> FrameDecoder.Element {
        .packet(try Frame(packet: try packet.encode(version: version), version: version))
    }

    private func connected(
        _ version: MQTTVersion = .v5_0, properties: Properties = [], keepAlive: Duration = .seconds(60)
    ) throws -> (GatewaySession, [GatewaySession.Action]) {
        var session = session(version, keepAlive: keepAlive)
        _ = session.streamOpened()
        let actions = session.received(try element(.connack(Connack(properties: properties)), version))
        return (session, actions)
    }

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func connect(_ version: MQTTVersion) throws {
        var session = session(version, number: 3)
        let actions = session.streamOpened()
        guard case .start(.connack, after: .seconds(5)) = actions.first, case .send(let bytes) = actions.last else {
            Issue.record("unexpected: \(actions)")
            return
        }
        let connect = try Connect.decode(try Frame(packet: bytes, version: nil))
        #expect(
            connect
                == Connect(
                    version: version, cleanStart: true, keepAlive: 60, clientID: "gw-3", username: "site",
                    password: ByteBuffer(string: "p#1")))
        #expect(session.streamOpened().isEmpty)
    }

    @Test func readyWithTheLimits() throws {
        let (_, actions) = try connected(properties: [.receiveMaximum(32), .maximumQoS(.atLeastOnce)])
        var limits = GatewayLimits()
        limits.receiveMaximum = 32
        limits.maximumQoS = .atLeastOnce
        #expect(actions == [.stop(.connack), .start(.keepAlive, after: .seconds(60)), .ready(limits)])
    }

    @Test func pingsEachKeepAlive() throws {
        var (session, _) = try connected()
        for _ in 0..<3 {
            #expect(
                session.timedOut(.keepAlive) == [
                    .send(ByteBuffer(bytes: [0xC0, 0])), .start(.keepAlive, after: .seconds(60)),
                    .start(.pingResponse, after: .seconds(10)),
                ])
            #expect(session.received(try element(.pingresp, .v5_0)) == [.stop(.pingResponse)])
        }
        _ = session.timedOut(.keepAlive)
        let actions = session.timedOut(.pingResponse)
        #expect(actions.ends == .noAnswer("the broker answered no PINGREQ") && actions.last == .close)
        #expect(session.isOver)
    }

    @Test(arguments: [(UInt16(20), Duration?.some(.seconds(20))), (0, nil)])
    func theServersKeepAliveWins(_ seconds: UInt16, _ interval: Duration?) throws {
        let (_, actions) = try connected(properties: [.serverKeepAlive(seconds)])
        let started = actions.compactMap { action -> Duration? in
            if case .start(.keepAlive, let after) = action { after } else { nil }
        }
        #expect(started == (interval.map { [$0] } ?? []))
    }

    @Test func aShortKeepAliveIsAnsweredInTime() throws {
        var (session, _) = try connected(keepAlive: .seconds(5))
        #expect(session.timedOut(.keepAlive).contains(.start(.pingResponse, after: .milliseconds(2_500))))
    }

    // MARK: Ends

    private static let refusals: [(MQTTVersion, UInt8, needsOperator: Bool)] = [
        (.v3_1_1, 5, true), (.v3_1_1, 4, true), (.v3_1_1, 3, false), (.v5_0, 0x86, true), (.v5_0, 0x87, true),
        (.v5_0, 0x88, false), (.v5_0, 0x89, false),
    ]

    @Test(arguments: refusals.indices)
    func refused(_ index: Int) throws {
        let (version, code, needsOperator) = Self.refusals[index]
        var session = session(version)
        _ = session.streamOpened()
        var connack = Connack(code: code)
        if version == .v5_0 { connack.properties.reasonString = "no\nway" }
        let actions = session.received(try element(.connack(connack), version))
        let end = try #require(actions.ends)
        #expect(end == .refused(code: code, reason: version == .v5_0 ? "no\nway" : nil))
        #expect(end.needsOperator == needsOperator && end.minimumPause(version) == .zero)
        #expect(!"\(end)".contains("\n"))
        #expect(actions.first == .stop(.connack) && actions.last == .close && session.isOver)
    }

    @Test func noConnack() {
        var session = session()
        _ = session.streamOpened()
        let actions = session.timedOut(.connack)
        #expect(actions.ends?.needsOperator == false && actions.last == .close)
    }

    @Test func noStreamToConnectOn() {
        var session = session()
        #expect(session.streamAwaited() == [.start(.connack, after: .seconds(5))])
        var late = session
        let actions = session.timedOut(.connack)
        #expect(actions.ends?.isBrokerBusy == false && actions.last == .close && session.isOver)
        // From then on the timer limits the wait for CONNACK.
        #expect(late.streamOpened().first == .start(.connack, after: .seconds(5)) && late.streamAwaited().isEmpty)
    }

    @Test func takenOver() throws {
        var (session, _) = try connected()
        let actions = session.received(try element(.disconnect(Disconnect(reasonCode: 0x8E)), .v5_0))
        #expect(actions.ends == .takenOver && actions.last == .close)
        #expect(GatewayEnd.takenOver.minimumPause(.v5_0) == .seconds(5) && GatewayEnd.takenOver.needsOperator)
        var (other, _) = try connected()
        let lost = other.lost(.byBroker(reasonCode: 0x8E, description: ""))
        #expect(lost.ends == .takenOver)
    }

    @Test func a311TakeoverIsAFINWithoutAWord() throws {
        var (session, _) = try connected(.v3_1_1)
        let end = try #require(session.streamEnded().ends)
        #expect(end == .closedByBroker && end.minimumPause(.v3_1_1) == .seconds(5))
        #expect(end.minimumPause(.v5_0) == .zero)
    }

    @Test func otherEnds() throws {
        let ends: [(GatewayEnd, (inout GatewaySession) throws -> [GatewaySession.Action])] = [
            (.closedByBroker, { $0.lost(.byBroker(reasonCode: nil, description: "reset")) }),
            (.lost("idle"), { $0.lost(.network(description: "idle")) }),
            (.disconnected(code: 0x8B, reason: nil), { $0.lost(.byBroker(reasonCode: 0x8B, description: "")) }),
            (
                .disconnected(code: 0x8B, reason: nil),
                { $0.received(try element(.disconnect(Disconnect(reasonCode: 0x8B)), .v5_0)) }
            ),
            (
                .violation(MQTTError(.malformed, clause: "x", message: "y")),
                { $0.misbehaved(MQTTError(.malformed, clause: "x", message: "y")) }
            ),
        ]
        for (end, event) in ends {
            var (session, _) = try connected()
            let actions = try event(&session)
            #expect(
                actions == [.stop(.keepAlive), .stop(.pingResponse), .ended(end), .close])
            #expect(session.isOver && session.streamEnded().isEmpty && session.timedOut(.keepAlive).isEmpty)
            #expect(session.shutDown().isEmpty)
        }
    }

    @Test(arguments: [
        Packet.message("a"), .ack(.puback, 1), .suback(Suback(packetID: 1, codes: [0])), .pingreq,
        .connack(Connack()), .auth(Auth()),
    ])
    func anythingElseIsAViolation(_ packet: Packet) throws {
        var (session, _) = try connected()
        guard case .violation = session.received(try element(packet, .v5_0)).ends else {
            Issue.record("\(packet) is accepted")
            return
        }
        if case .publish = packet { return }
        var early = self.session()
        _ = early.streamOpened()
        if case .connack = packet { return }
        guard case .violation = early.received(try element(packet, .v5_0)).ends else {
            Issue.record("\(packet) is accepted before CONNACK")
            return
        }
    }

    @Test func aLongPublishIsAViolation() throws {
        var (session, _) = try connected()
        let publish = PublishHead(topic: "a")
        let head = try publish.encode(version: .v5_0, payloadLength: 100_000)
        let begin = StreamedPublish(head: head, flags: 0, publish: publish, payloadLength: 100_000)
        let end = try #require(session.received(.publishBegin(begin)).ends)
        #expect("\(end)".contains("auto_subscribe"))
        #expect(session.received(.payload(ByteBuffer(string: "x"), isLast: false)).isEmpty)
    }

    @Test func shutDown() throws {
        var (session, _) = try connected()
        #expect(
            session.shutDown() == [
                .stop(.keepAlive), .stop(.pingResponse), .ended(.shutDown), .send(ByteBuffer(bytes: [0xE0, 0])),
                .finish,
                .start(.goodbye, after: .seconds(10)),
            ])
        #expect(!session.isOver && session.shutDown().isEmpty)
        var patient = session
        #expect(patient.streamEnded() == [.stop(.goodbye), .close] && patient.isOver)
        #expect(session.timedOut(.goodbye).last == .close && session.isOver)
        var early = self.session()
        #expect(early.shutDown() == [.stop(.connack), .ended(.shutDown), .close])
    }

    @Test func garbageEndsItAndNothingWorse() throws {
        var generator = SplitMix64(seed: 0x5EED)
        for _ in 0..<2_000 {
            var session = session()
            var decoder = FrameDecoder(maximumPacketSize: 1_000, maximumBufferedSize: 1_000)
            decoder.version = .v5_0
            _ = session.streamOpened()
            var bytes = Array(try connackAndPings().readableBytesView)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                guard let index = bytes.indices.randomElement(using: &generator) else { break }
                bytes[index] = .random(in: 0...255, using: &generator)
            }
            decoder.append(ByteBuffer(bytes: bytes))
            var ends = 0
            do {
                while let element = try decoder.next() {
                    if session.received(element).ends != nil { ends += 1 }
                }
            } catch {
                if session.misbehaved(error).ends != nil { ends += 1 }
            }
            if session.streamEnded().ends != nil { ends += 1 }
            #expect(ends == 1 && session.isOver)
        }
    }

    private func connackAndPings() throws -> ByteBuffer {
        var bytes = try Packet.connack(Connack(properties: [.receiveMaximum(32)])).encode(version: .v5_0)
        for _ in 0..<3 { bytes.writeImmutableBuffer(try Packet.pingresp.encode(version: .v5_0)) }
        return bytes
    }
}

extension [GatewaySession.Action] {
    fileprivate var ends: GatewayEnd? {
        lazy.compactMap { if case .ended(let why) = $0 { why } else { nil } }.first
    }
}

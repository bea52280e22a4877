import Foundation
import Testing

@testable import QUICTransport

/// What the end of one side means for the other side, and for the will.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeEndTests {
    /// How a client's session ends.
    enum End: String, Sendable, CaseIterable {
        case disconnectAndFIN, disconnect, disconnectAndClose
        case fin, reset, close, idle

        var isClean: Bool {
            switch self {
            case .disconnectAndFIN, .disconnect, .disconnectAndClose: true
            case .fin, .reset, .close, .idle: false
            }
        }
    }

    @Test(arguments: End.allCases, ["mqtt", "mqtt-mux"])
    func everyEndReachesTheBroker(end: End, alpn: String) async throws {
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            var options = QUICClient.Options(alpn: [alpn])
            if end == .idle { options.idleTimeout = .seconds(8) }
            let client = try await scenario.client(options)
            let (stream, _) = try await client.session("client-1", will: ("will/client-1", "gone"))
            try await Self.perform(end, client, stream)
            _ = try await scenario.serve.logs("session ended")
            // After a clean end, the broker's log says so.
            try await scenario.broker.logs(end.isClean ? "Received DISCONNECT from client-1" : "Client client-1 ")
            try await observer.publish("will/marker", "marker", qos: 1)
            let first = try await observer.message()
            // The loss of a client may be noticed only after the marker.
            let message = first.topic == "will/marker" && !end.isClean ? try await observer.message() : first
            #expect(message.topic == (end.isClean ? "will/marker" : "will/client-1"))
            await client.stop()
        }
    }

    private static func perform(_ end: End, _ client: QUICClient, _ stream: UInt64) async throws {
        switch end {
        case .disconnectAndFIN:
            try await client.send(RawMQTT.disconnect, on: stream, fin: true)
            try await client.expect(.fin(stream))
        case .disconnect:
            try await client.send(RawMQTT.disconnect, on: stream)
            try await client.expect(.fin(stream))
        case .disconnectAndClose:
            try await client.send(RawMQTT.disconnect, on: stream)
            try await client.expect(.fin(stream))
            try await client.close()
        case .fin:
            try await client.send([], on: stream, fin: true)
            try await client.expect(.fin(stream))
        case .reset: try await client.reset(stream, code: 7)
        case .close: try await client.close()
        case .idle: try await client.vanish()
        }
    }

    @Test(arguments: [End.disconnectAndFIN, .fin, .reset])
    func theConnectionOfASingleSessionEndsWithIt(end: End) async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.client()
            let (stream, _) = try await client.session("client-1")
            try await Self.perform(end, client, stream)
            #expect(try await client.closed() == .applicationClosed(code: 0, reason: ""))
            await client.stop()
        }
    }

    /// EMQX closes the connection after about three seconds.
    @Test func aClientThatDoesNotFinishIsClosedToo() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.client()
            let (stream, _) = try await client.session("client-1")
            let start = ContinuousClock.now
            try await Self.perform(.disconnect, client, stream)
            #expect(try await client.closed() == .applicationClosed(code: 0, reason: ""))
            #expect(ContinuousClock.now - start > .seconds(2))
            await client.stop()
        }
    }

    @Test func aSharedConnectionSurvivesItsSessions() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            let (stays, _) = try await client.session("stays")
            for end in [End.disconnectAndFIN, .fin, .reset] {
                let (stream, _) = try await client.session("goes-\(end)")
                try await Self.perform(end, client, stream)
                try await client.expect(.streamClosed(stream))
            }
            try await client.send(RawMQTT.pingreq, on: stays)
            #expect(try await client.received(6, on: stays).suffix(2) == [0xD0, 0])
            await client.stop()
        }
    }

    @Test func aTakeoverIsTheBrokersEnd() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            let (old, _) = try await client.session("client-1")
            let (oldOf5, _) = try await client.session("client-5", level: 5)
            _ = try await client.session("client-1")
            _ = try await client.session("client-5", level: 5)
            try await client.expect(.fin(old))
            try await client.expect(.fin(oldOf5))
            await client.stop()
        }
    }

    /// A packet that every broker rejects, but only after reading all of it. A broker that closes with unread bytes
    /// resets the connection.
    private static let nonsense = RawMQTT.connect("again")

    /// `serve` does not check with a connection for each ended session whether the broker is still there: not for a
    /// single end among other sessions, and once for several ends near each other.
    @Test(arguments: [1, 2])
    func whatTheBrokerDecidesCostsFewConnections(threads: Int) async throws {
        var options = ServeScenario.Options()
        options.threads = threads
        try await ServeScenario.run(options) { scenario in
            let client = try await scenario.multiplexedClient()
            var streams: [UInt64] = []
            for index in 0..<8 { streams.append(try await client.session("client-\(index)").stream) }
            // The broker ends the sessions one by one, because of their packets or because of takeovers.
            for stream in streams[..<4] {
                try await client.send(Self.nonsense, on: stream)
                try await client.expect(.fin(stream))
            }
            _ = try await client.session("client-4")
            try await client.expect(.fin(streams[4]))
            // Then two sessions end at once.
            for stream in streams[5...6] { try await client.send(Self.nonsense, on: stream) }
            for stream in streams[5...6] { try await client.expect(.fin(stream)) }
            try await client.send(RawMQTT.pingreq, on: streams[7])
            #expect(try await client.received(6, on: streams[7]).suffix(2) == [0xD0, 0])
            let seen = await scenario.broker.process.errors.all.count { $0.contains("New connection from") }
            // There were seven ends, and each check was for at least two of them.
            #expect((9...12).contains(seen))
            await client.stop()
        }
    }

    /// A broker that ends all of its sessions is not mistaken for one that has gone.
    @Test(arguments: [2, 12])
    func aBrokerThatEndsAllSessionsIsNotGone(sessions: Int) async throws {
        var options = ServeScenario.Options()
        options.threads = 2
        try await ServeScenario.run(options) { scenario in
            let client = try await scenario.multiplexedClient()
            var streams: [UInt64] = []
            for index in 0..<sessions { streams.append(try await client.session("client-\(index)").stream) }
            for stream in streams { try await client.send(Self.nonsense, on: stream) }
            for stream in streams { try await client.expect(.fin(stream)) }
            // The broker's log may be late.
            try await scenario.broker.process.errors.says("New connection from", times: sessions + 1)
            let seen = await scenario.broker.process.errors.all.count { $0.contains("New connection from") }
            #expect(seen > sessions)
            #expect(seen <= sessions + sessions / 2 + 1)
            await client.stop()
        }
    }

    /// The broker can no longer be reached, but takes its time to end each of its sessions.
    @Test func aBrokerThatGoesSlowlyIsALoss() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            scenario.broker.process.signal(SIGKILL)
            _ = try await scenario.broker.process.end()
            let listener = try await RawBroker.start(port: scenario.broker.port)
            var sessions: [(stream: UInt64, tcp: RawBroker.Connection)] = []
            for index in 0..<5 {
                let stream = try await client.openStream()
                try await client.send(RawMQTT.connect("client-\(index)"), on: stream)
                let tcp = try await listener.connection()
                _ = try await tcp.received(4)
                try await tcp.send([0x20, 2, 0, 0])
                #expect(try await client.received(4, on: stream) == [0x20, 2, 0, 0])
                sessions.append((stream, tcp))
            }
            await listener.stop()
            // When the first session ends, `serve` cannot know that others will follow.
            await sessions[0].tcp.close()
            try await scenario.serve.logs("session ended")
            for (stream, tcp) in sessions[1...] {
                await tcp.close()
                try await client.expect(.reset(stream, code: 2))
            }
            await client.stop()
        }
    }

    /// If there are no other sessions to judge by, `serve` checks the broker once. The client does not have to wait for
    /// a timer.
    @Test func theOnlySessionIsTold() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            for index in 0..<3 {
                let (stream, _) = try await client.session("client-\(index)")
                try await client.send(Self.nonsense, on: stream)
                try await client.expect(.fin(stream))
            }
            try await scenario.broker.logs("New client connected from 127.0.0.1:")
            let seen = await scenario.broker.process.errors.all.count { $0.contains("New connection from") }
            #expect(seen <= 6)
            await client.stop()
        }
    }

    /// Unlike a takeover, the broker's end is worth another attempt, however many sessions are left.
    @Test(arguments: [1, 2, 40], [SIGTERM, SIGKILL])
    func aBrokerThatGoesIsALoss(sessions: Int, signal: Int32) async throws {
        var options = ServeScenario.Options()
        options.threads = 2
        try await ServeScenario.run(options) { scenario in
            let clients = [try await scenario.multiplexedClient(), try await scenario.multiplexedClient()]
            var streams: [(client: QUICClient, stream: UInt64)] = []
            for index in 0..<sessions {
                let client = clients[index % 2]
                streams.append((client, try await client.session("client-\(index)").stream))
            }
            scenario.broker.process.signal(signal)
            for (client, stream) in streams { try await client.expect(.reset(stream, code: 2)) }
            for client in clients { await client.stop() }
        }
    }

    /// This holds for clients that the broker tells about its shutdown (5.0) and for those that it does not tell
    /// (3.1.1).
    @Test func aBrokerThatStopsIsALossOfAllSessions() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            let (first, _) = try await client.session("client-1")
            let (second, _) = try await client.session("client-2", level: 5)
            scenario.broker.process.signal(SIGTERM)
            try await client.expect(.reset(first, code: 2))
            try await client.expect(.reset(second, code: 2))
            await client.stop()
        }
    }

    /// A restart of the broker costs its clients a moment, but they are not refused.
    @Test func aSessionWaitsForABrokerThatIsBackSoon() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            scenario.broker.process.signal(SIGKILL)
            _ = try await scenario.broker.process.end()
            let stream = try await client.openStream()
            try await client.send(RawMQTT.connect("client-1"), on: stream)
            try await scenario.serve.logs("the broker cannot be reached")
            let listener = try await RawBroker.start(port: scenario.broker.port)
            let tcp = try await listener.connection()
            #expect(try await tcp.received(4).first == 0x10)
            try await tcp.send([0x20, 2, 0, 0])
            #expect(try await client.received(4, on: stream) == [0x20, 2, 0, 0])
            await client.stop()
            await listener.stop()
        }
    }

    private static let refusals: [(UInt8, [UInt8])] = [
        (3, [0x20, 2, 0, 3]), (4, [0x20, 2, 0, 3]), (5, [0x20, 3, 0, 0x88, 0]),
    ]

    @Test(arguments: refusals)
    func anUnreachableBrokerIsReportedByConnack(level: UInt8, expected: [UInt8]) async throws {
        var options = ServeScenario.Options()
        options.brokerPort = try Toolbox.freePort()
        try await ServeScenario.run(options) { scenario in
            let client = try await scenario.client()
            let (stream, connack) = try await client.session("client-1", level: level)
            #expect(connack == expected)
            try await client.expect(.fin(stream))
            try await client.send([], on: stream, fin: true)
            #expect(try await client.closed() == .applicationClosed(code: 0, reason: ""))
            let line = try await scenario.serve.logs("the broker cannot be reached")
            #expect(line.contains("error=\"Connection refused\""))
            await client.stop()
        }
    }
}

import Foundation
import Testing

@testable import QUICTransport

/// Sessions through `serve` in front of a real Mosquitto, with clients on the bridge's own transport, and what may
/// prevent them.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeSessionTests {
    @Test(arguments: [UInt8(3), 4])
    func packetsPassBothWays(level: UInt8) async throws {
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("up")
            let client = try await scenario.client()
            let (stream, answer) = try await client.session("client-1", level: level)
            #expect(answer == [0x20, 2, 0, 0])
            try await client.send(RawMQTT.subscribe("down", qos: 1), on: stream)
            #expect(try await client.received(4 + 5, on: stream).suffix(5) == [0x90, 3, 0, 1, 1])
            try await client.send(RawMQTT.publish("up", Array("hello".utf8)), on: stream)
            #expect(try await observer.message().text == "hello")
            try await observer.publish("down", "answer", qos: 0)
            let packet = RawMQTT.publish("down", Array("answer".utf8))
            #expect(try await client.received(9 + packet.count, on: stream).suffix(packet.count) == packet)
            await client.stop()
        }
    }

    @Test func aMegabyteOfEachPasses() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.client()
            let (stream, _) = try await client.session("client-1")
            try await client.send(RawMQTT.subscribe("echo"), on: stream)
            _ = try await client.received(4 + 5, on: stream)
            let payload = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let packet = RawMQTT.publish("echo", payload)
            try await client.send(packet, on: stream)
            #expect(try await client.received(9 + packet.count, on: stream).dropFirst(9).elementsEqual(packet))
            await client.stop()
        }
    }

    @Test func manySessionsShareAConnection() async throws {
        let number = 50
        try await ServeScenario.run { scenario in
            let observer = try await scenario.observer("up/#")
            let client = try await scenario.multiplexedClient()
            for index in 0..<number {
                let (stream, connack) = try await client.session("client-\(index)", level: 5)
                #expect(connack.dropFirst(3).first == 0)
                try await client.send(RawMQTT.publish("up/\(index)", [1], properties: []), on: stream)
                #expect(try await observer.message().topic == "up/\(index)")
            }
            await client.stop()
        }
    }

    @Test func theServerPrefersManySessions() async throws {
        try await ServeScenario.run { scenario in
            for (offered, chosen) in [(["mqtt", "mqtt-mux"], "mqtt-mux"), (["mqtt"], "mqtt")] {
                let client = try await QUICClient.start(port: scenario.serve.port, .init(alpn: offered))
                #expect(try await client.connected() == chosen)
                await client.stop()
            }
            let other = try await QUICClient.start(port: scenario.serve.port, .init(alpn: ["h3"]))
            #expect(try await other.closed() == .alpnRefused(offered: ["h3"]))
            await other.stop()
        }
    }

    /// EMQX does the same.
    @Test func aSecondStreamOfASingleSessionIsRefused() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.client()
            let (first, _) = try await client.session("client-1")
            let second = try await client.openStream()
            try await client.send(RawMQTT.connect("client-2"), on: second)
            try await client.expect(.reset(second, code: 0))
            try await client.send(RawMQTT.pingreq, on: first)
            #expect(try await client.received(6, on: first).suffix(2) == [0xD0, 0])
            #expect(try await client.received(on: second).isEmpty)
            await client.stop()
        }
    }

    private static let noConnects: [([UInt8], UInt64)] = [
        ([0xC0, 0], 0x382), (Array("GET / HTTP/1.1\r\n".utf8), 0x382), ([0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0], 0x395),
    ]

    @Test(arguments: noConnects)
    func whatIsNotAConnectIsResetAndNeverReachesTheBroker(bytes: [UInt8], code: UInt64) async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            let bad = try await client.openStream()
            let before = await scenario.broker.process.errors.count
            try await client.send(bytes, on: bad)
            try await client.expect(.reset(bad, code: code))
            // The other sessions on the connection notice nothing.
            let (_, connack) = try await client.session("client-1")
            #expect(connack == [0x20, 2, 0, 0])
            try await scenario.broker.logs("as client-1")
            let connections = await scenario.broker.process.errors.all.dropFirst(before).filter {
                $0.contains("New connection")
            }
            #expect(connections.count == 1)
            await client.stop()
        }
    }

    /// A client cannot fill the server's memory by beginning one CONNECT after another.
    @Test func whatWaitsOnAConnectionIsBounded() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            let start = RawMQTT.packet(0x10, [UInt8](repeating: 0, count: 200_000)).dropLast()
            var streams: [UInt64] = []
            for _ in 0..<8 {
                let stream = try await client.openStream()
                try await client.send(Array(start), on: stream)
                streams.append(stream)
            }
            let reset = try await client.events.first("a stream that is sent away") {
                if case .reset(_, code: 2) = $0 { true } else { false }
            }
            #expect(streams.contains { reset == .reset($0, code: 2) })
            try await scenario.serve.logs("too many bytes from clients are waiting for the broker")
            await client.stop()
        }
    }

    @Test func aClientThatDoesNotConnectInTimeIsClosed() async throws {
        var options = ServeScenario.Options()
        options.serve = ["connect_within: 300ms"]
        try await ServeScenario.run(options) { scenario in
            let shared = try await scenario.multiplexedClient()
            let slow = try await scenario.multiplexedClient()
            let stream = try await slow.openStream()
            try await slow.send(Array(RawMQTT.connect("slow").dropLast()), on: stream)
            try await slow.expect(.reset(stream, code: 0x380))
            let silent = try await scenario.client()
            #expect(
                try await silent.closed() == .applicationClosed(code: 0, reason: "the client opened no stream in time"))
            // A connection that may have many sessions may have none for a while.
            #expect(try await shared.session("late").1 == [0x20, 2, 0, 0])
            for client in [shared, slow, silent] { await client.stop() }
        }
    }

    @Test func streamsThatEndMakeRoomForOthers() async throws {
        var options = ServeScenario.Options()
        options.serve = ["streams_per_connection: 2"]
        try await ServeScenario.run(options) { scenario in
            let client = try await scenario.multiplexedClient()
            for round in 0..<5 {
                let (stream, _) = try await client.session("client-\(round)")
                try await client.send(RawMQTT.disconnect, on: stream, fin: true)
                try await client.expect(.streamClosed(stream))
            }
            _ = try await client.session("one")
            _ = try await client.session("two")
            await #expect(throws: HarnessError.self) { _ = try await client.openStream() }
            await client.stop()
        }
    }

    @Test(arguments: ["::1", "127.0.0.1"])
    func bothFamilies(host: String) async throws {
        var options = ServeScenario.Options()
        options.listen = host == "::1" ? "[::1]:0" : "\(host):0"
        try await ServeScenario.run(options) { scenario in
            let client = try await scenario.client(.init(host: host))
            let (_, connack) = try await client.session("client-1")
            #expect(connack == [0x20, 2, 0, 0])
            await client.stop()
        }
    }

    /// `::` alone accepts IPv4 too, but both wildcards may be listed.
    @Test(arguments: [1, 2], [["::"], ["::", "0.0.0.0"], ["0.0.0.0", "::"]])
    func wildcardsGoTogether(threads: Int, hosts: [String]) async throws {
        let port = try Toolbox.freePort()
        var options = ServeScenario.Options()
        options.threads = threads
        options.listen = hosts.map { $0 == "::" ? "[::]:\(port)" : "\($0):\(port)" }.joined(separator: "\", \"")
        try await ServeScenario.run(options) { scenario in
            for host in ["127.0.0.1", "::1"] {
                let client = try await scenario.client(.init(host: host))
                let (_, connack) = try await client.session("client-1")
                #expect(connack == [0x20, 2, 0, 0])
                await client.stop()
            }
        }
    }

    @Test func clientCertificatesAreRequiredIfACAIsGiven() async throws {
        let certificates = try await Certificates.make()
        var options = ServeScenario.Options()
        options.serve = ["client_ca: \(certificates.certificate("ca"))"]
        try await ServeScenario.run(options) { scenario in
            let known = try await scenario.client(.init(certificate: "client"))
            let (_, connack) = try await known.session("client-1")
            #expect(connack == [0x20, 2, 0, 0])
            for certificate in [nil, "other-client"] {
                let unknown = try await QUICClient.start(port: scenario.serve.port, .init(certificate: certificate))
                // For the client, the handshake is complete before the server has seen its certificate.
                try await unknown.connected()
                await #expect(throws: (any Error).self) { _ = try await unknown.session("stranger") }
                _ = try await unknown.closed()
                await unknown.stop()
            }
            let next = try await scenario.client(.init(certificate: "client"))
            _ = try await next.session("client-2")
            await next.stop()
            try await scenario.broker.logs("as client-2")
            #expect(await !scenario.broker.process.errors.contains { $0.contains("stranger") })
            await known.stop()
        }
    }
}

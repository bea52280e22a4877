import Foundation
import Testing

@testable import QUICTransport

/// The TCP side of `serve`, with the test in the role of the broker.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeBrokerTests {
    private static let connack: [UInt8] = [0x20, 2, 0, 0]

    private static func run(
        _ lines: [String] = [], alone: Bool = false,
        _ body: @Sendable (ServeScenario, RawBroker) async throws -> Void
    ) async throws {
        let broker = try await RawBroker.start()
        var options = ServeScenario.Options()
        options.brokerPort = broker.port
        options.serve = lines
        options.alone = alone
        try await ServeScenario.run(options) { try await body($0, broker) }
        await broker.stop()
    }

    /// Sends CONNECT on a new stream, answers it as the broker, and returns the stream and its TCP connection.
    private static func session(
        _ client: QUICClient, _ broker: RawBroker, level: UInt8 = 4
    ) async throws -> (stream: UInt64, tcp: RawBroker.Connection) {
        let stream = try await client.openStream()
        let connect = RawMQTT.connect("client-\(stream)", level: level)
        try await client.send(connect, on: stream)
        let tcp = try await broker.connection()
        #expect(try await tcp.received(connect.count) == connect)
        try await tcp.send(level == 5 ? [0x20, 3, 0, 0, 0] : connack)
        return (stream, tcp)
    }

    @Test func theProxyHeaderNamesTheClient() async throws {
        try await Self.run(["proxy_protocol: true"]) { scenario, broker in
            let nat = try await UDPRelay.start(to: scenario.serve.port)
            let client = try await QUICClient.connect(port: nat.port)
            let stream = try await client.openStream()
            try await client.send(RawMQTT.connect("client-1"), on: stream)
            let received = try await broker.connection().received(28 + RawMQTT.connect("client-1").count)
            let port = try await nat.happenings.first("an answer of serve") { $0.direction == .down }.port
            let addresses: [UInt8] = [127, 0, 0, 1, 127, 0, 0, 1]
            let ports = [port, scenario.serve.port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            let header: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 12]
            #expect(received == header + addresses + ports + RawMQTT.connect("client-1"))
            await client.stop()
            await nat.stop()
        }
    }

    @Test func aClientsFINIsTheBrokersEndAndAResetAReset() async throws {
        try await Self.run { scenario, broker in
            let client = try await scenario.multiplexedClient()
            let (first, finished) = try await Self.session(client, broker)
            try await client.send(RawMQTT.disconnect, on: first, fin: true)
            _ = try await finished.events.first("FIN") { $0 == .end }
            try await client.expect(.fin(first))
            let (second, reset) = try await Self.session(client, broker)
            try await client.reset(second, code: 3)
            _ = try await reset.events.first("RST") { $0 == .failure }
            try await client.expect(.reset(second, code: 3))
            await client.stop()
        }
    }

    @Test func aBrokerThatDoesNotCloseIsDisconnected() async throws {
        try await Self.run { scenario, broker in
            let client = try await scenario.client()
            let (stream, tcp) = try await Self.session(client, broker)
            try await tcp.read(false)
            try await client.send(RawMQTT.disconnect, on: stream, fin: true)
            try await client.expect(.fin(stream))
            #expect(try await client.closed() == .applicationClosed(code: 0, reason: ""))
            await client.stop()
        }
    }

    /// What is on its way to a slow client when the broker closes the connection arrives, however long that takes.
    @Test(arguments: ["mqtt", "mqtt-mux"])
    func aSlowClientGetsTheLastBytes(alpn: String) async throws {
        try await Self.run { scenario, broker in
            let client = try await scenario.client(.init(alpn: [alpn], streamWindow: 20_000))
            let (stream, tcp) = try await Self.session(client, broker)
            _ = try await client.received(4, on: stream)
            try await client.read(false, on: stream)
            let size = 200_000
            tcp.startSending([UInt8](repeating: 0x30, count: size))
            try await Task.sleep(for: .milliseconds(300))
            await tcp.close()
            // This takes at least ten seconds, which is longer than any of the server's time limits.
            var (taken, rounds) = (0, 0)
            while rounds < 20 || (taken < 4 + size && rounds < 600) {
                rounds += 1
                try await Task.sleep(for: .milliseconds(500))
                let have = try await client.received(on: stream).count
                try await client.consume(have - taken, on: stream)
                taken = have
            }
            try await client.expect(.fin(stream))
            #expect(try await client.received(on: stream).count == 4 + size)
            await client.stop()
        }
    }

    @Test func aResetOfTheBrokersIsAReset() async throws {
        try await Self.run { scenario, broker in
            let client = try await scenario.multiplexedClient()
            let (stream, tcp) = try await Self.session(client, broker)
            try await tcp.reset()
            try await client.expect(.reset(stream, code: 0))
            await client.stop()
        }
    }

    /// The broker is in the middle of a packet, so DISCONNECT comes after it.
    @Test func aShutdownLetsAPacketBeCompleted() async throws {
        try await Self.run { scenario, broker in
            let client = try await scenario.multiplexedClient()
            let (stream, tcp) = try await Self.session(client, broker, level: 5)
            let packet = RawMQTT.publish("a", [1, 2, 3], properties: [])
            try await tcp.send(Array(packet.prefix(4)))
            _ = try await client.received(5 + 4, on: stream)
            scenario.serve.process.signal(SIGTERM)
            try await scenario.serve.logs("session ended")
            try await tcp.send(Array(packet.dropFirst(4)) + RawMQTT.pingreq)
            try await client.expect(.fin(stream))
            #expect(try await client.received(on: stream).dropFirst(5) == packet[...] + [0xE0, 1, 0x8B])
            try await client.send([], on: stream, fin: true)
            #expect(try await client.closed() == .applicationClosed(code: 2, reason: "server shutting down"))
            await client.stop()
        }
    }

    /// What the broker does not read stays at the client, and takes no flow control credit from other sessions.
    @Test func aBrokerThatDoesNotReadHoldsBackItsOwnSessionOnly() async throws {
        try await Self.run(["stream_buffer: 64KiB"]) { scenario, broker in
            let client = try await scenario.multiplexedClient()
            let (stuck, tcp) = try await Self.session(client, broker)
            try await tcp.read(false)
            let size = 20_000_000
            try await client.send(RawMQTT.publish("big", [UInt8](repeating: 1, count: size)), on: stuck)
            for _ in 0..<5 {
                let (stream, other) = try await Self.session(client, broker)
                let packet = RawMQTT.publish("small", [UInt8](repeating: 2, count: 100_000))
                try await client.send(packet, on: stream)
                _ = try await other.received(RawMQTT.connect("client-\(stream)").count + packet.count)
            }
            // Flow control windows and socket buffers hold a few megabytes at most.
            #expect(try await client.bufferedBytes(stuck) > size / 2)
            try await tcp.read(true)
            _ = try await tcp.received(size)
            await client.stop()
        }
    }

    /// The same in the other direction: what a client gives no credit for stays at the broker.
    @Test func aClientThatDoesNotReadHoldsBackItsOwnSessionOnly() async throws {
        try await Self.run(["stream_buffer: 64KiB"]) { scenario, broker in
            let client = try await scenario.multiplexedClient()
            let (stuck, tcp) = try await Self.session(client, broker)
            _ = try await client.received(4, on: stuck)
            try await client.read(false, on: stuck)
            let size = 20_000_000
            let before = try memory(of: scenario.serve.process)
            tcp.startSending([UInt8](repeating: 0x30, count: size))
            for _ in 0..<5 {
                let (stream, other) = try await Self.session(client, broker)
                let packet = RawMQTT.publish("small", [UInt8](repeating: 2, count: 100_000))
                try await other.send(packet)
                _ = try await client.received(4 + packet.count, on: stream)
            }
            #expect(try memory(of: scenario.serve.process) - before < 8_000)
            #expect(try await client.received(on: stuck).count < size / 2)
            await client.stop()
        }
    }

    /// The current memory (VmRSS) in KiB.
    private func memory(of process: ChildProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber)))
    }
}

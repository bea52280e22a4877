import Foundation
import Testing

@testable import QUICTransport

/// A server that listens on all addresses of its machine, and clients that use any of these.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeAddressTests {
    /// A listener, and an address that reaches it.
    struct Way: Sendable, CustomTestStringConvertible {
        let listener: String
        let host: String

        var testDescription: String { "\(listener) at \(host)" }

        var options: ServeScenario.Options {
            var options = ServeScenario.Options()
            options.listen = "\(listener):0"
            return options
        }
    }

    private static let ways: [Way] = ["127.0.0.1", "127.0.0.2"].map { Way(listener: "0.0.0.0", host: $0) }
    /// IPv4 clients come to such a listener as `::ffff:127.0.0.2`.
    private static let ipv6Ways: [Way] = ["::1", "127.0.0.1", "127.0.0.2"].map { Way(listener: "[::]", host: $0) }

    @Test(arguments: ways, [1, 4])
    func aClientIsAnsweredFromTheAddressThatItUses(way: Way, threads: Int) async throws {
        try await Self.connects(way, threads)
    }

    @Test(.enabled(if: Toolbox.hasIPv6, "this machine has no IPv6"), arguments: ipv6Ways, [1, 4])
    func aClientOfAnIPv6ListenerIsAnsweredFromTheAddressThatItUses(way: Way, threads: Int) async throws {
        try await Self.connects(way, threads)
    }

    /// A client drops what comes from anywhere else. The broker is told the real address, too.
    private static func connects(_ way: Way, _ threads: Int) async throws {
        let broker = try await RawBroker.start()
        var options = way.options
        options.brokerPort = broker.port
        options.threads = threads
        options.serve = ["proxy_protocol: true"]
        try await ServeScenario.run(options) { scenario in
            for index in 0..<threads {
                let client = try await scenario.client(.init(host: way.host))
                let stream = try await client.openStream()
                let connect = RawMQTT.connect("client-\(index)")
                try await client.send(connect, on: stream)
                let isIPv6 = way.host == "::1"
                let length = isIPv6 ? 16 + 36 : 16 + 12
                let tcp = try await broker.connection()
                let received = try await tcp.received(length + connect.count)
                #expect(received.suffix(connect.count) == connect[...])
                let loopback = [UInt8](repeating: 0, count: 15) + [1]
                let own: [UInt8] = isIPv6 ? loopback : way.host.split(separator: ".").compactMap { UInt8($0) }
                let header: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21]
                let size: [UInt8] = isIPv6 ? [0x21, 0, 36] : [0x11, 0, 12]
                #expect(Array(received.prefix(16)) == header + size)
                #expect(Array(received.dropFirst(16 + own.count).prefix(own.count)) == own)
                let port = received.dropFirst(length - 2).prefix(2).reduce(0) { $0 << 8 | Int($1) }
                #expect(port == scenario.serve.port)
                await client.stop()
            }
        }
        await broker.stop()
    }

    /// Retry, and a client whose address changes: with several threads, its datagrams then come to other sockets.
    @Test(arguments: [1, 4], ["always", "never"])
    func aClientBehindANATStaysConnected(threads: Int, retry: String) async throws {
        var options = ServeScenario.Options()
        options.listen = "0.0.0.0:0"
        options.threads = threads
        options.serve = ["retry: \(retry)"]
        try await ServeScenario.run(options) { scenario in
            try await scenario.expectRebindings(3, at: "127.0.0.2")
        }
    }

    /// Version Negotiation, and the stateless reset of a connection that the server does not know.
    @Test(arguments: ["127.0.0.1", "127.0.0.2"])
    func strangersAreAnsweredFromTheAddressThatTheyAsk(host: String) async throws {
        var options = ServeScenario.Options()
        options.listen = "0.0.0.0:0"
        try await ServeScenario.run(options) { scenario in
            let head: [UInt8] =
                [0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 8] + Array("ABCDEFGH".utf8) + [8] + Array("12345678".utf8)
            let other = head + [UInt8](repeating: 0, count: 1_200)
            let unknown = [0x41] + [UInt8](repeating: 7, count: 60)
            for question in [other, unknown] {
                let answer = try Self.ask(host, port: scenario.serve.port, question)
                #expect(answer.count > 20)
            }
        }
    }

    /// A connected socket, which receives from nobody else.
    private static func ask(_ host: String, port: Int, _ question: [UInt8]) throws -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr(host)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected, send(descriptor, question, question.count, 0) == question.count else {
            throw HarnessError("the question was not sent: errno \(errno)")
        }
        var room = [UInt8](repeating: 0, count: 2_000)
        let count = recv(descriptor, &room, room.count, 0)
        guard count > 0 else { throw HarnessError("no answer from \(host): errno \(errno)") }
        return Array(room.prefix(count))
    }

    /// The program itself as the client.
    @Test func aBridgeReachesItAtASecondAddress() async throws {
        var options = ServeScenario.Options()
        options.listen = "0.0.0.0:0"
        try await ServeScenario.run(options) { scenario in
            let text = """
                listen: ["127.0.0.1:0"]
                uplink:
                  host: 127.0.0.2
                  port: \(scenario.serve.port)
                  server_name: localhost
                  ca: \(try await Certificates.make().certificate("ca"))
                log: {level: debug, format: text, repeats: all}

                """
            let file = try scenario.folder.write("check.yaml", text)
            let (end, said) = try await CheckTests.bridge(["check", "--connect", "--config", file])
            #expect(end == .exit(0), "\(said)")
            let bridge = try await Bridge.start(in: scenario.folder, configuration: text)
            await scenario.own(bridge.process)
            let observer = try await scenario.observer("up")
            let device = await PahoClient("device-1", scenario.driver)
            try await device.connect(port: bridge.port, ["version": "5.0"])
            try await device.publish("up", "hello", qos: 1)
            #expect(try await observer.message().text == "hello")
        }
    }
}

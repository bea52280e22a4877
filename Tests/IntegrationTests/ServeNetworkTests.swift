import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

/// The QUIC side of `serve`: changes of addresses, address validation, limits, certificates, and random packets.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeNetworkTests {
    /// With several event loops, the datagrams after a rebinding usually arrive at another socket.
    @Test(arguments: [1, 4])
    func aClientBehindANATStaysConnectedHoweverOftenItIsRebound(threads: Int) async throws {
        var options = ServeScenario.Options()
        options.threads = threads
        try await ServeScenario.run(options) { scenario in
            try await scenario.expectRebindings(6)
        }
    }

    @Test func manyClientsOverSeveralLoops() async throws {
        var options = ServeScenario.Options()
        options.threads = 4
        try await ServeScenario.run(options) { scenario in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        let client = try await scenario.client()
                        let (_, connack) = try await client.session("client-\(index)")
                        #expect(connack == [0x20, 2, 0, 0])
                        await client.stop()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: ["always", "auto", "never"])
    func addressesAreValidatedAsConfigured(retry: String) async throws {
        var options = ServeScenario.Options()
        options.serve = ["retry: \(retry)"] + (retry == "auto" ? ["retry_above: 1"] : [])
        try await ServeScenario.run(options) { scenario in
            for index in 0..<3 {
                let client = try await scenario.client()
                let (_, connack) = try await client.session("client-\(index)")
                #expect(connack == [0x20, 2, 0, 0])
                await client.stop()
            }
            scenario.serve.process.signal(SIGTERM)
            let line = try await scenario.serve.logs("statistics")
            let text = line.split(separator: " ").first { $0.hasPrefix("retries=") }?.dropFirst(8)
            let retries = try #require(text.flatMap { Int($0) })
            switch retry {
            // A client that gets no answer in time asks again.
            case "always": #expect(retries >= 3)
            case "never": #expect(retries == 0)
            default: #expect(retries > 0)
            }
        }
    }

    @Test(arguments: [("connections: 1", "serve.connections)"), ("connections_per_address: 1", "per_address")])
    func clientsOverALimitAreRefused(line: String, word: String) async throws {
        var options = ServeScenario.Options()
        options.serve = [line]
        try await ServeScenario.run(options) { scenario in
            let first = try await scenario.client()
            _ = try await first.session("client-1")
            let second = try await QUICClient.start(port: scenario.serve.port)
            guard case .connectionRefused = try await second.closed() else {
                Issue.record("not refused")
                return
            }
            let said = try await scenario.serve.logs("clients refused")
            #expect(said.contains(word))
            try await first.close()
            try await scenario.serve.logs("client connection ended")
            let third = try await scenario.client()
            _ = try await third.session("client-3")
            for client in [first, second, third] { await client.stop() }
        }
    }

    @Test(arguments: [true, false])
    func aNewCertificateServesNewConnectionsAndLeavesOldOnesAlone(bySignal: Bool) async throws {
        try await ServeScenario.run { scenario in
            let old = try await scenario.client()
            let (stream, _) = try await old.session("client-1")
            try await ServeScenario.use("rsa-server", in: scenario.folder)
            if bySignal { scenario.serve.process.signal(SIGHUP) }
            try await scenario.serve.logs("certificates and keys reloaded")
            let new = try await scenario.client(.init(ca: "rsa-ca-chain"))
            _ = try await new.session("client-2")
            let unknowing = try await QUICClient.start(port: scenario.serve.port)
            _ = try await unknowing.closed()
            try await old.send(RawMQTT.pingreq, on: stream)
            #expect(try await old.received(6, on: stream).suffix(2) == [0xD0, 0])
            for client in [old, new, unknowing] { await client.stop() }
        }
    }

    /// Sessions of another QUIC stack continue, and new connections are made, while the certificate changes again and
    /// again.
    @Test func certificatesChangeUnderLoad() async throws {
        try await ServeScenario.run { scenario in
            let load = try await StackClient.start(
                "keep", port: scenario.serve.port, ["--streams", "20", "--interval", "0.05"])
            await scenario.own(load.process)
            try await load.reports("round")
            for round in 0..<6 {
                let (certificate, ca) = round.isMultiple(of: 2) ? ("rsa-server", "rsa-ca-chain") : ("server", "ca")
                let said = await scenario.serve.process.errors.count
                try await ServeScenario.use(certificate, in: scenario.folder)
                scenario.serve.process.signal(SIGHUP)
                try await scenario.serve.logs("certificates and keys reloaded", from: said)
                let client = try await scenario.client(.init(ca: ca))
                _ = try await client.session("client-\(round)")
                await client.stop()
            }
            try load.process.endInput()
            try await load.passed()
        }
    }

    /// The tokens of stateless resets are derived from the ticket key, so clients of a process that died do not have to
    /// wait for their idle timeout (RFC 9000 10.3).
    @Test func aRestartedServerResetsOldConnections() async throws {
        try await ServeScenario.run { scenario in
            let port = try Toolbox.freePort()
            var options = ServeScenario.Options()
            options.listen = "127.0.0.1:\(port)"
            options.serve = ["ticket_key_file: \(scenario.folder.path)/ticket.key"]
            let text = try await ServeScenario.configuration(
                options, in: scenario.folder, brokerPort: scenario.broker.port)
            let first = try await Serve.start(in: scenario.folder, configuration: text)
            await scenario.own(first.process)
            let client = try await QUICClient.connect(port: port)
            let (stream, _) = try await client.session("client-1")
            await first.process.stop()
            let second = try await Serve.start(in: scenario.folder, configuration: text)
            await scenario.own(second.process)
            // A packet as short as that of a PINGREQ is not answered, because two servers that have forgotten might
            // answer each other forever.
            try await client.send(RawMQTT.publish("a", [UInt8](repeating: 1, count: 100)), on: stream)
            #expect(try await client.closed() == .statelessReset)
            await client.stop()
        }
    }

    @Test func aDeletedTicketKeyIsCreatedAgainAtSIGHUP() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let path = "\(folder.path)/ticket.key"
        var options = ServeScenario.Options()
        options.serve = ["ticket_key_file: \(path)"]
        try await ServeScenario.run(options) { scenario in
            let before = try Data(contentsOf: URL(filePath: path))
            try FileManager.default.removeItem(atPath: path)
            scenario.serve.process.signal(SIGHUP)
            try await scenario.serve.logs("certificates and keys reloaded")
            let after = try Data(contentsOf: URL(filePath: path))
            #expect(before.count == 64 && after.count == 64 && before != after)
        }
    }

    @Test(arguments: ["not a certificate", ""])
    func aBadNewCertificateIsLoggedAndNotUsed(text: String) async throws {
        try await ServeScenario.run { scenario in
            try scenario.folder.write("certificate.pem", text)
            scenario.serve.process.signal(SIGHUP)
            let said = try await scenario.serve.logs("the configuration was not reloaded")
            #expect(said.contains("certificate.pem"))
            let client = try await scenario.client()
            _ = try await client.session("client-1")
            await client.stop()
        }
    }

    @Test func randomPacketsDoNoHarm() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.client()
            let (stream, _) = try await client.session("client-1")
            let target = try SocketAddress(ipAddress: "127.0.0.1", port: scenario.serve.port)
            let channel = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .bind(host: "127.0.0.1", port: 0).get()
            var generator = SystemRandomNumberGenerator()
            for length in 0..<2_000 {
                let bytes = (0..<length % 1_400).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                channel.write(AddressedEnvelope(remoteAddress: target, data: ByteBuffer(bytes: bytes)), promise: nil)
                if length % 50 == 0 { channel.flush() }
            }
            channel.flush()
            try await client.send(RawMQTT.pingreq, on: stream)
            #expect(try await client.received(6, on: stream).suffix(2) == [0xD0, 0])
            try await channel.close()
            await client.stop()
        }
    }

    @Test(arguments: [1, 4])
    func aSecondServerOnThePortIsAnError(threads: Int) async throws {
        var options = ServeScenario.Options()
        options.threads = threads
        try await ServeScenario.run(options) { scenario in
            var second = ServeScenario.Options()
            second.threads = threads
            second.listen = "127.0.0.1:\(scenario.serve.port)"
            let file = try scenario.folder.write(
                "second.yaml",
                try await ServeScenario.configuration(second, in: scenario.folder, brokerPort: scenario.broker.port))
            let process = try await ChildProcess.start("second", Toolbox.bridge(), ["serve", "--config", file])
            await scenario.own(process)
            #expect(try await process.end() == .exit(1))
            _ = try await process.errors.first("the address") { $0.contains("Address already in use") }
        }
    }

    @Test func anUnavailableAddressIsAnError() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        var options = ServeScenario.Options()
        options.listen = "192.0.2.1:14567"
        let file = try folder.write(
            "serve.yaml", try await ServeScenario.configuration(options, in: folder, brokerPort: 1883))
        let process = try await ChildProcess.start("serve", Toolbox.bridge(), ["serve", "--config", file])
        #expect(try await process.end() == .exit(1))
        _ = try await process.errors.first("the address") { $0.contains("192.0.2.1 UDP port 14567") }
    }
}

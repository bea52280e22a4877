import BridgeCore
import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import BridgeAdmin

/// Requests as they come over the wire, and those that do not come to their end.
@Suite(.timeLimit(.minutes(1)))
struct RequestTests {
    /// 1 MB, far more than a connection may have waiting.
    private static func largeService() -> FakeService {
        let service = FakeService()
        service.report.withLock { $0.listen = [String(repeating: "x", count: 1_000_000)] }
        return service
    }

    /// Whoever asks without reading gets no more answers than the buffers of the connection take.
    @Test func answersWaitForTheClient() async throws {
        let service = Self.largeService()
        let calls = { @Sendable in service.statusCalls.withLock { $0 } }
        try await AdminEndpoint.run(service) { endpoint in
            let request = "GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let channel = try await endpoint.stalled(String(repeating: request, count: 300))
            var (last, repeats) = (0, 0)
            while repeats < 30 {
                try await Task.sleep(for: .milliseconds(10))
                repeats = calls() == last && last > 0 ? repeats + 1 : 0
                last = calls()
            }
            #expect(calls() < 30)
            // What had to wait is answered all the same, in order.
            try await channel.setOption(.autoRead, value: true).get()
            while calls() < 300 { try await Task.sleep(for: .milliseconds(5)) }
            try? await channel.close()
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await AdminEndpoint.run { endpoint in
            let put = { (level: String) in
                let body = "{\n\"level\": \"\(level)\"\n}"
                return "PUT /api/log HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            }
            let answers = try await endpoint.raw(
                put("debug") + put("error") + "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    + "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\n" + put("trace"))
            let order = [#"{"level":"debug"}"#, #"{"level":"error"}"#, #""ok":true"#, "nothing at this path"]
            let places = order.map { answers.firstRange(of: $0)?.lowerBound }
            #expect(!places.contains(nil) && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
            #expect(answers.split(separator: "HTTP/1.1 ").count == 4)
            #expect(try await endpoint.get("/api/log").body == #"{"level":"error"}"#)
        }
    }

    @Test func oneAddressCannotTakeEveryPlace() async throws {
        var limits = AdminLimits.patient
        limits.connectionsPerAddress = 3
        try await AdminEndpoint.run(limits: limits) { endpoint in
            var open: [any Channel] = []
            for _ in 0..<3 { open.append(try await endpoint.viewer()) }
            #expect(try await endpoint.raw("").contains("too many connections from one address: at most 3 at once"))
            for channel in open { try? await channel.close() }
            // Idle ones give way.
            for _ in 0..<6 { open.append(try await endpoint.stalled("")) }
            // The viewers' connections may take a moment to go.
            let request = "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"
            while (try? await endpoint.raw(request))?.contains(" 200 ") != true {
                try await Task.sleep(for: .milliseconds(5))
            }
            for channel in open { try? await channel.close() }
        }
    }

    @Test func anOldClientSeesTheEnd() async throws {
        try await AdminEndpoint.run { endpoint in
            let answer = try await endpoint.raw("GET /api/log HTTP/1.0\r\nHost: localhost\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.0 200 ") && answer.hasSuffix(#"{"level":"info"}"#))
            #expect(answer.lowercased().contains("connection: close"))
            // As HAProxy checks servers, if nothing else is configured.
            #expect(try await endpoint.raw("GET /readyz HTTP/1.0\r\n\r\n").hasPrefix("HTTP/1.0 200 "))
            let nameless = try await endpoint.raw("GET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n")
            #expect(nameless.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test func aClientThatAwaitsItIsToldToContinue() async throws {
        try await AdminEndpoint.run { endpoint in
            let head = "PUT /api/log HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 17\r\n"
            let conversation = try await endpoint.conversation("\(head)Connection: close\r\n\r\n") { answer in
                answer.contains("\r\n\r\n") ? #"{"level":"debug"}"# : nil
            }
            #expect(conversation.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
            let large = try await endpoint.raw(
                "PUT /api/log HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n")
            #expect(large.hasPrefix("HTTP/1.1 413 "))
            let unknown = try await endpoint.raw("GET / HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\n\r\n")
            #expect(unknown.hasPrefix("HTTP/1.1 417 "))
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost", 400),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example", 400),
        ("GET http://evil.example/ HTTP/1.1\r\nHost: localhost", 400),
        ("GET http://localhost:1/ HTTP/1.1\r\nHost: localhost", 400),
        ("GET ftp://localhost/ HTTP/1.1\r\nHost: localhost", 400),
        ("GET http://LOCALHOST/healthz HTTP/1.1\r\nHost: localhost", 200),
        ("GET http://localhost HTTP/1.1\r\nHost: localhost", 200), ("GET / HTTP/1.1\r\nHost: [localhost]", 400),
        ("GET / HTTP/1.1\r\nHost: localhost:+80", 400), ("GET / HTTP/2.0\r\nHost: localhost", 400),
    ])
    func theHeadIsReadStrictly(head: String, status: Int) async throws {
        try await AdminEndpoint.run { endpoint in
            let answer = try await endpoint.raw("\(head)\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer.prefix(400))")
        }
    }

    /// What a client breaks off is no fault of the program, so no line of the log above debug is about it.
    @Test func aClientThatLeavesIsNoTrouble() async throws {
        let lines = LogLines()
        var logger = Logger(label: "test") { _ in lines }
        logger.logLevel = .debug
        try await AdminEndpoint.run(logger: logger) { endpoint in
            let channel = try await endpoint.stalled(
                "PUT /api/log HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16\r\n\r\n{\"")
            try await channel.close()
            while !lines.all.contains("debug admin request cut off") { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(!lines.all.contains { $0.hasPrefix("error") || $0.hasPrefix("warning") })
    }
}

private final class LogLines: LogHandler {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.level) \(event.message)") }
    }
}

extension AdminEndpoint {
    /// Sends `first`, and what `next` makes of the first bytes that come; returns what came until the end.
    func conversation(
        _ first: String, _ next: @Sendable (String) -> String?
    ) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: first))
            var (received, isAnswered) = ("", false)
            for try await part in inbound {
                received += String(buffer: part)
                guard !isAnswered, let text = next(received) else { continue }
                isAnswered = true
                try await outbound.write(ByteBuffer(string: text))
            }
            return received
        }
    }
}

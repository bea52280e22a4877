import BridgeCore
import Foundation
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import BridgeAdmin

/// What one client can take of the endpoint, and what all of them can.
struct AdminLimitTests {
    private static var hasty: AdminLimits {
        var limits = AdminLimits()
        limits.request = .seconds(2)
        limits.idle = .seconds(2)
        limits.stall = .seconds(2)
        limits.end = .seconds(2)
        limits.sweep = .milliseconds(20)
        return limits
    }

    @Test(.timeLimit(.minutes(2))) func slowClientsAreLetGo() async throws {
        try await AdminEndpoint.run(limits: Self.hasty) { endpoint in
            #expect(try await endpoint.raw("") == "")
            #expect(try await endpoint.raw("GET /api/status HTTP/1.1\r\nHost: loc") == "")
            // The answer is there before the body has to be, and a body that does not come ends the connection.
            // On a busy machine, the request itself may come too late. Then there is no answer, and it is sent again.
            let drain = "POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123"
            while try await !endpoint.raw(drain).hasPrefix("HTTP/1.1 400") {}
            let level = "GET /api/log HTTP/1.1\r\nHost: localhost\r\n\r\n"
            while try await !endpoint.raw(level).hasSuffix(#"{"level":"info"}"#) {}
        }
    }

    @Test func largeRequestsAreRefused() async throws {
        try await AdminEndpoint.run { endpoint in
            let long = String(repeating: "a", count: 20_000)
            for text in [
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(long)\r\n\r\n",
                "GET /\(long) HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\n" + (0..<200).map { "X\($0): y\r\n" }.joined() + "\r\n", "nonsense\r\n\r\n",
                "\u{16}\u{3}\u{1}\r\n\r\n",
            ] {
                let answer = try await endpoint.raw(text)
                #expect(answer.hasPrefix("HTTP/1.1 400"))
                #expect(answer.contains(#"{"error":"this is no HTTP/1.1 request, or its head is too large"#))
            }
            let declared = try await endpoint.send("PUT", "/api/log", body: long)
            #expect(declared.status == 413)
            #expect(declared.body.contains("16384 bytes at most"))
            let chunk = "4e20\r\n\(long)\r\n"
            let chunked = try await endpoint.raw(
                "PUT /api/log HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)0\r\n\r\n")
            #expect(chunked.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func idleConnectionsMakeRoom() async throws {
        var limits = AdminLimits.patient
        limits.connections = 4
        try await AdminEndpoint.run(limits: limits) { endpoint in
            var open: [any Channel] = []
            for _ in 0..<12 { open.append(try await endpoint.stalled("")) }
            #expect(try await endpoint.get("/healthz").status == 200)
            for channel in open { try? await channel.close() }
        }
    }

    @Test func tooManyViewersAreTurnedAway() async throws {
        var limits = AdminLimits.patient
        limits.connections = 4
        try await AdminEndpoint.run(limits: limits) { endpoint in
            var open: [any Channel] = []
            for _ in 0..<4 { open.append(try await endpoint.viewer()) }
            let answer = try await endpoint.raw("")
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(answer.contains("too many connections: at most 4 at once"))
            for channel in open { try? await channel.close() }
        }
    }

    /// A page that no longer reads must hold up neither the others nor the end.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func theEndWaitsForNobody(isStalled: Bool) async throws {
        let service = FakeService()
        if isStalled {
            // Far more than the buffers of both sides.
            service.report.withLock { $0.listen = [String(repeating: "x", count: 12_000_000)] }
        }
        var limits = AdminLimits.patient
        limits.end = .milliseconds(300)
        try await AdminEndpoint.run(service, limits: limits) { endpoint in
            let viewer = isStalled ? try await endpoint.stalled(AdminEndpoint.events) : try await endpoint.viewer()
            let calls = { service.statusCalls.withLock { $0 } }
            while calls() == 0 { try await Task.sleep(for: .milliseconds(5)) }
            _ = viewer
        }
        // That it returns is the test.
    }

    @Test(.timeLimit(.minutes(2))) func aViewerThatDoesNotReadIsLetGo() async throws {
        let service = FakeService()
        service.report.withLock { $0.listen = [String(repeating: "x", count: 12_000_000)] }
        var limits = AdminLimits.patient
        limits.stall = .seconds(2)
        limits.sweep = .milliseconds(20)
        limits.connections = 1
        try await AdminEndpoint.run(service, limits: limits) { endpoint in
            let viewer = try await endpoint.stalled(AdminEndpoint.events)
            while service.statusCalls.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            // There is room for one, and an answer is under way: so this works once the viewer is gone.
            let question = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            while (try? await endpoint.raw(question))?.hasPrefix("HTTP/1.1 200") != true {
                try await Task.sleep(for: .milliseconds(20))
            }
            try? await viewer.close()
        }
    }

    @Test func anAddressInUseIsSaidOrLeftOut() async throws {
        let rival = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = rival.localAddress?.port ?? 0
        let address = ListenAddress(host: "127.0.0.1", port: port)
        func service(isGiven: Bool) throws -> AdminService {
            try #require(
                try AdminService(
                    configuration: AdminConfiguration(listen: address, isListenGiven: isGiven), service: FakeService(),
                    controls: .fixed(), logger: .silent))
        }
        let error = try await #require(throws: AdminListenError.self) { try await service(isGiven: true).run() }
        #expect(error.description.contains("cannot listen on 127.0.0.1 port \(port)"))
        #expect(error.description.contains("ss -ltnp"))
        // The default address: the service goes on until it is ended.
        let group = ServiceGroup(services: [try service(isGiven: false)], logger: .silent)
        async let run: Void = group.run()
        try await Task.sleep(for: .milliseconds(100))
        await group.triggerGracefulShutdown()
        try await run
        try await rival.close()
    }
}

extension AdminEndpoint {
    static let events = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// A viewer of the page that has its first event.
    func viewer() async throws -> any Channel {
        let (parts, part) = AsyncStream.makeStream(of: Void.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(FirstBytes(part)) }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(string: Self.events))
        for await _ in parts { break }
        return channel
    }
}

private final class FirstBytes: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let part: AsyncStream<Void>.Continuation

    init(_ part: AsyncStream<Void>.Continuation) { self.part = part }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { part.yield() }
    func channelInactive(context: ChannelHandlerContext) { part.finish() }
}

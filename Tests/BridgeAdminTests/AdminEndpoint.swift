import BridgeCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

@testable import BridgeAdmin

/// The admin endpoint as the program has it, for a program that is not there.
struct AdminEndpoint: Sendable {
    static let token = "0123456789abcdef-0123456789"

    let port: Int
    private let group: ServiceGroup

    /// Runs the endpoint on a port of its own, and ends it in order after `body`.
    static func run(
        _ service: FakeService = FakeService(), _ controls: AdminControls = .fixed(), token: String? = nil,
        hostNames: [String] = [], limits: AdminLimits = .patient, logger: Logger = .silent,
        _ body: @Sendable @escaping (AdminEndpoint) async throws -> Void
    ) async throws {
        let folder = TemporaryFile(token ?? "")
        defer { folder.remove() }
        let configuration = AdminConfiguration(
            listen: ListenAddress(host: "127.0.0.1", port: 0), isListenGiven: true,
            tokenFile: token == nil ? nil : folder.path, hostNames: hostNames)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        guard
            let admin = try AdminService(
                configuration: configuration, service: service, controls: controls, limits: limits, logger: logger)
        else { return }
        let group = ServiceGroup(
            services: [Running(service: admin, port: port)], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await group.run()
                    port.finish()
                } catch {
                    port.finish()
                    throw error
                }
            }
            for await port in ports {
                tasks.addTask {
                    do {
                        try await body(AdminEndpoint(port: port, group: group))
                    } catch {
                        await group.triggerGracefulShutdown()
                        throw error
                    }
                    await group.triggerGracefulShutdown()
                }
            }
            try await tasks.waitForAll()
        }
    }

    /// Begins to end the endpoint in order.
    func shutDown() async {
        await group.triggerGracefulShutdown()
    }

    func client(token: String? = nil) -> AdminClient {
        AdminClient(AdminURL(host: "127.0.0.1", port: port), token: token, timeout: .seconds(300))
    }

    func get(_ path: String, _ headers: [(String, String)] = []) async throws -> AdminClient.Answer {
        try await client().send("GET", path, headers: headers)
    }

    func send(_ method: String, _ path: String, _ headers: [(String, String)] = [], body: String = "") async throws
        -> AdminClient.Answer
    {
        try await client().send(method, path, headers: headers, body: body)
    }

    /// Sends bytes as they are, and returns what comes until the endpoint closes the connection.
    func raw(_ text: String) async throws -> String {
        let received = Mutex("")
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            do {
                if !text.isEmpty { try await outbound.write(ByteBuffer(string: text)) }
                for try await part in inbound { received.withLock { $0 += String(buffer: part) } }
            } catch is IOError {
                // A reset ends it as well.
            } catch is ChannelError {
                // The endpoint may have closed it before the text was sent.
            } catch is NIOAsyncWriterError {
                // Likewise.
            }
        }
        return received.withLock { $0 }
    }

    /// A connection that has sent `text` and reads nothing.
    func stalled(_ text: String) async throws -> any Channel {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port).get()
        if !text.isEmpty { try await channel.writeAndFlush(ByteBuffer(string: text)) }
        return channel
    }
}

private struct Running: Service {
    let service: AdminService
    let port: AsyncStream<Int>.Continuation

    func run() async throws {
        try await service.run { port.yield($0) }
    }
}

extension AdminLimits {
    /// For a machine on which neither the endpoint nor its client may run for a while.
    static var patient: AdminLimits {
        var limits = AdminLimits()
        limits.request = .seconds(600)
        limits.idle = .seconds(600)
        limits.stall = .seconds(600)
        return limits
    }
}

extension Logger {
    static var silent: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }
}

extension AdminControls {
    static func fixed(reload: ReloadReport? = nil) -> AdminControls {
        let level = SharedLevel()
        var controls = AdminControls(
            logLevel: { level.value.withLock { $0 } },
            setLogLevel: { new in level.value.withLock { $0 = new } },
            troubles: {
                [Trouble(time: 1, level: "warning", message: "session held", count: 3, fields: ["error": "x"])]
            })
        if let reload { controls.reload = { @Sendable _, _ in reload } }
        return controls
    }
}

private final class SharedLevel: Sendable {
    let value = Mutex(LogConfiguration.Level.info)
}

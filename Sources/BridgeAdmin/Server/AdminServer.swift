import BridgeCore
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TLSTransport

/// Runs the HTTP server on an event loop of its own within limits, and ends it in a bounded time.
struct AdminServer {
    private let limits: AdminLimits
    private let logger: Logger

    init(_ limits: AdminLimits, _ logger: Logger) {
        self.limits = limits
        self.logger = logger
    }

    /// Runs until graceful shutdown or cancellation. Throws ``AdminListenError``.
    ///
    /// - Parameter running: Is called once the server listens, with the address.
    func run(
        _ responder: AdminResponder, feed: EventFeed, on address: ListenAddress,
        _ running: @escaping @Sendable (SocketAddress?) -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let limits = limits
        let book = try await loop.submit {
            NIOLoopBound(ConnectionBook(limits: limits, arrival: arrival), eventLoop: loop)
        }.get()
        let isRunning = Atomic(false)
        let application = application(group, responder, book, address) {
            isRunning.store(true, ordering: .relaxed)
            running($0)
        }
        // The server is not a child task: one whose request is stuck in the program must not hold up the end of it.
        let (ends, end) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .bufferingOldest(1))
        let server = Task {
            do {
                try await application.run()
                end.yield(.inOrder)
            } catch {
                end.yield(.failed(error))
            }
        }
        let last = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await feed.run() }
            tasks.addTask { await Self.sweep(book, loop, arrivals, limits) }
            tasks.addTask {
                try? await gracefulShutdown()
                if !Task.isCancelled { try? await Task.sleep(for: .nanoseconds(limits.end.nanoseconds)) }
                loop.execute { book.value.end() }
                try? await Task.sleep(for: .nanoseconds(limits.end.nanoseconds))
                end.yield(.leftBehind)
            }
            var last = End.leftBehind
            for await first in ends {
                last = first
                break
            }
            tasks.cancelAll()
            return last
        }
        server.cancel()
        let closing = Task {
            await server.value
            try? await group.shutdownGracefully()
        }
        switch last {
        case .leftBehind: return
        case .inOrder: await closing.value
        case .failed(let error):
            await closing.value
            throw isRunning.load(ordering: .relaxed) ? error : AdminListenError(address, error)
        }
    }

    private enum End {
        case inOrder
        case failed(any Error)
        /// It takes too long, or this task is cancelled. Its thread ends when it does.
        case leftBehind
    }

    private func application(
        _ group: MultiThreadedEventLoopGroup, _ responder: AdminResponder, _ book: NIOLoopBound<ConnectionBook>,
        _ address: ListenAddress, _ running: @escaping @Sendable (SocketAddress?) -> Void
    ) -> Application<AdminResponder> {
        var quiet = logger
        quiet.logLevel = .error
        return Application(
            responder: responder, server: HTTPServerBuilder { [limits] in AdminChannel($0, limits, book) },
            configuration: .init(address: .hostname(address.host, port: address.port)),
            onServerRunning: { [logger] channel in
                await Self.pauseAfterFailures(channel, logger)
                running(channel.localAddress)
            }, eventLoopGroupProvider: .shared(group), logger: quiet)
    }

    private static func pauseAfterFailures(_ channel: any Channel, _ logger: Logger) async {
        try? await channel.eventLoop.submit {
            let pause = AcceptPause { error in
                logger.warning(
                    "the admin endpoint cannot accept anybody for now",
                    metadata: ["reason": "\(error.acceptAdvice)"])
            }
            try channel.pipeline.syncOperations.addHandler(pause, position: .first)
        }.get()
    }

    /// Closes the connections of clients that take too long. Without connections nothing is woken.
    private static func sweep(
        _ book: NIOLoopBound<ConnectionBook>, _ loop: any EventLoop, _ arrivals: AsyncStream<Void>,
        _ limits: AdminLimits
    ) async {
        for await _ in arrivals {
            var isEmpty = false
            while !isEmpty, !Task.isCancelled {
                try? await Task.sleep(for: limits.sweep)
                let rest = try? await loop.submit {
                    book.value.sweep(at: .now())
                    return book.value.isEmpty
                }.get()
                isEmpty = rest ?? true
            }
        }
    }
}

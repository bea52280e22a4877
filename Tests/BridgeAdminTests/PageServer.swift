import BridgeCore
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

@testable import BridgeAdmin

/// The page with its events, and as much of the API as the page needs, for a program that is not there.
enum PageServer {
    /// Runs the server on a port of its own, and ends it after `body`, which gets its address.
    static func run(
        _ service: FakeService, token: String? = nil, _ body: @Sendable @escaping (String) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let feed = EventFeed(service: service, troubles: { [] }, interval: .seconds(1), checkEvery: .milliseconds(50))
        var logger = Logger(label: "page-server")
        logger.logLevel = .critical
        let application = Application(
            router: router(service, feed, token), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            services: [feed],
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await application.run() }
            for await port in ports {
                try await body("http://127.0.0.1:\(port)")
                break
            }
            group.cancelAll()
        }
    }

    private static func router(
        _ service: FakeService, _ feed: EventFeed, _ token: String?
    ) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: TokenCheck(token: token))
        router.addPage(feed: feed)
        router.get("/api/devices") { request, _ in
            let query = request.uri.queryParameters
            return try json(
                await service.devices(
                    DeviceQuery(
                        clientID: query["client_id"].map(String.init),
                        after: query["after"].flatMap { DeviceID($0) } ?? 0,
                        limit: query["limit"].flatMap { Int($0) } ?? 100)))
        }
        router.get("/api/devices/:id") { _, context in
            guard let detail = await service.device(try context.parameters.require("id", as: DeviceID.self)) else {
                throw HTTPError(.notFound)
            }
            return try json(detail)
        }
        router.post("/api/devices/:id/disconnect") { _, context in
            await service.disconnect(try context.parameters.require("id", as: DeviceID.self))
                ? HTTPResponse.Status.noContent : .notFound
        }
        return router
    }

    private static func json(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}

private struct TokenCheck: RouterMiddleware {
    let token: String?

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        if let token, request.uri.path != "/", request.headers[.authorization] != "Bearer \(token)" {
            return Response(status: .unauthorized)
        }
        return try await next(request, context)
    }
}

import CoreMetrics
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Answers every request: refuses those that are not let in, names what is there for those that miss it, and gives each
/// answer the header fields that keep browsers from misusing it.
struct AdminResponder: HTTPResponder {
    private let check: RequestCheck
    private let routes: RouteList
    private let router: RouterResponder<AdminContext>
    private let logger: Logger

    init(_ router: Router<AdminContext>, check: RequestCheck, logger: Logger) {
        self.check = check
        self.routes = RouteList(router.routes.map { ("\($0.path)", $0.method) })
        self.router = router.buildResponder()
        self.logger = logger
    }

    func respond(to request: Request, context: AdminContext) async throws -> Response {
        var response = await answer(request, context)
        // Whatever the answer is, an error too [RFC 9110 9.3.2].
        if request.method == .head { response = response.createHeadResponse() }
        for (name, value) in Self.fields where response.headers[name] == nil {
            response.headers[name] = value
        }
        return response
    }

    private func answer(_ request: Request, _ context: AdminContext) async -> Response {
        let path = request.uri.path
        if let problem = check.problem(with: request.head, path: path) {
            note(problem, request, context)
            return problem.response
        }
        do {
            if let problem = routes.problem(with: path, request.method) { throw problem }
            var context = context
            context.isTrusted = check.isTrusted(request.head)
            return try await router.respond(to: request, context: context)
        } catch let error as AdminError {
            return error.response
        } catch let error as RequestCutOff {
            logger.debug("admin request cut off", metadata: ["path": "\(path)", "error": "\(error.cause)"])
            return Answer.error(.badRequest, "the body does not come to its end", [.connection: "close"])
        } catch {
            logger.error("admin request failed", metadata: ["path": "\(path)", "error": "\(error)"])
            return Answer.error(.internalServerError, "the program failed to answer; its log says why")
        }
    }

    /// A wrong token is somebody who should know better, or who tries.
    private func note(_ problem: AdminError, _ request: Request, _ context: AdminContext) {
        Counter(label: "mqtt_quic_bridge_admin_refusals", dimensions: [("status", "\(problem.status.code)")])
            .increment()
        guard problem.status == .unauthorized, request.headers[.authorization] != nil else { return }
        logger.warning(
            "admin token refused",
            metadata: ["remote_address": "\(context.remoteAddress?.ipAddress ?? "")", "path": "\(request.uri.path)"])
    }

    private static let fields: [(HTTPField.Name, String)] = [
        ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"), ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
}

/// A client has left, or broken off, in the middle of its request. That is its own affair.
struct RequestCutOff: Error {
    let cause: any Error
}

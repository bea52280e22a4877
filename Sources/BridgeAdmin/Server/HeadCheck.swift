import NIOCore
import NIOHTTP1

/// The head of a request that cannot be let through to the rest of the endpoint.
struct HeadProblem: Error {
    let problem: AdminError
    /// The answer has no body (HEAD).
    let isBodiless: Bool
}

/// Looks at what only the parser knows of a request and what the types behind it no longer show: the version, the target
/// as it was sent, and how many headers `Host` there are.
final class HeadCheck: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The version of the request that is to be answered.
    private var version = HTTPVersion.http1_1
    private var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        if let problem = Self.problem(with: head) {
            isOver = true
            return context.fireErrorCaught(HeadProblem(problem: problem, isBodiless: head.method == .HEAD))
        }
        version = head.version
        if head.version != .http1_1 {
            // Such a client takes the end of the connection for the end of the answer, and knows no Expect.
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            head.headers.remove(name: "Expect")
            // HTTP/1.0 does not know Host (RFC 1945 10), so whoever leaves it out means this endpoint: load balancers check
            // like that. Browsers never do.
            if !head.headers.contains(name: "Host") { head.headers.add(name: "Host", value: "localhost") }
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard version != .http1_1, case .head(var head) = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        // So that the answer has no chunks, which came with 1.1.
        head.version = .http1_0
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    static func problem(with head: HTTPRequestHead) -> AdminError? {
        let hosts = head.headers["Host"]
        guard hosts.count < 2 else {
            return AdminError(.badRequest, "there are \(hosts.count) headers Host, and there may be one [RFC 9112 3.2]")
        }
        if head.uri.hasPrefix("/") || head.uri == "*" { return nil }
        // The absolute form, which proxies are sent: another name in it than in the header would be the one that counts.
        let target = head.uri.lowercased()
        guard let scheme = ["http://", "https://"].first(where: target.hasPrefix) else {
            return AdminError(.badRequest, "the target of a request is a path: GET /api/status")
        }
        let authority = target.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard authority == hosts.first?.lowercased() ?? "" else {
            return AdminError(.badRequest, "the target of the request and the header Host name different hosts")
        }
        return nil
    }
}

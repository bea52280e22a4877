import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Asks an admin endpoint: one request, one connection. For the commands `status` and `health`.
package struct AdminClient: Sendable {
    /// What the endpoint has answered.
    package struct Answer: Sendable {
        /// The status code of HTTP.
        package var status: Int
        /// The fields of the head, with names in lower case. If a name comes more than once, the last field counts.
        package var headers: [String: String]
        /// The body as text.
        package var body: String
    }

    /// Where the endpoint is.
    package let url: AdminURL
    private let token: String?
    private let timeout: Duration

    /// - Parameter timeout: How long connecting and the answer may take together.
    package init(_ url: AdminURL, token: String? = nil, timeout: Duration = .seconds(5)) {
        self.url = url
        self.token = token
        self.timeout = timeout
    }

    /// Reads the token from a file as the endpoint does.
    package static func token(in file: String) throws(AdminTokenError) -> String { try BearerToken(file: file).text }

    /// Sends a request to a path, `/readyz`. Whatever the answer is, it is returned.
    package func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String = ""
    ) async throws(AdminClientError) -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: Answer.self)
        let head = head(method, path, headers, body)
        let connecting = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(timeout.inNanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerCollector(answer))
                }
            }
            .connect(host: url.host, port: url.port)
        let channel: any Channel
        do {
            channel = try await connecting.get()
        } catch {
            answer.fail(error)
            throw AdminClientError("nothing answers at \(url): \(Self.words(error))")
        }
        let impatience = Task { [timeout] in
            try await Task.sleep(for: timeout)
            try await channel.close().get()
        }
        defer { impatience.cancel() }
        do {
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            if !body.isEmpty {
                channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
            }
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            let result = try await answer.futureResult.get()
            try? await channel.close().get()
            return result
        } catch {
            try? await channel.close().get()
            throw AdminClientError("no answer from \(url): \(Self.words(error))")
        }
    }

    private func head(
        _ method: String, _ path: String, _ headers: [(String, String)], _ body: String
    ) -> HTTPRequestHead {
        var fields = HTTPHeaders([("Host", url.authority), ("Connection", "close")])
        if let token { fields.add(name: "Authorization", value: "Bearer \(token)") }
        if !body.isEmpty { fields.add(name: "Content-Length", value: "\(body.utf8.count)") }
        for (name, value) in headers { fields.replaceOrAdd(name: name, value: value) }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: method), uri: url.path + path, headers: fields)
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { words($0.error) } ?? "\(error.host) is not known"
        case ChannelError.connectTimeout: "it does not answer"
        case ChannelError.eof, is AnswerCollector.Missing: "the connection ended first, or it took too long"
        case is HTTPParserError: "it does not speak HTTP"
        default: "\(error)"
        }
    }
}

/// Puts an answer together. One that is larger than the endpoint's own can be is not taken.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    struct Missing: Error {}

    private static let limit = 8 * 1024 * 1024
    private let promise: EventLoopPromise<AdminClient.Answer>
    private var answer = AdminClient.Answer(status: 0, headers: [:], body: "")
    private var body = ByteBuffer()

    init(_ promise: EventLoopPromise<AdminClient.Answer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer.status = Int(head.status.code)
            for (name, value) in head.headers { answer.headers[name.lowercased()] = value }
        case .body(var part):
            body.writeBuffer(&part)
            guard body.readableBytes > Self.limit else { return }
            promise.fail(AdminClientError("the answer is larger than \(Self.limit) bytes"))
            context.close(promise: nil)
        case .end:
            answer.body = String(buffer: body)
            promise.succeed(answer)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(Missing())
        context.fireChannelInactive()
    }
}

extension Duration {
    fileprivate var inNanoseconds: Int64 { Int64(self / .nanoseconds(1)) }
}

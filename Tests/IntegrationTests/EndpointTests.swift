import Logging
import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

/// What the endpoint itself does, on real sockets: finding the connection that a datagram belongs to, and forgetting
/// it.
@Suite(.mapping(.connection), .timeLimit(.minutes(5)))
struct EndpointTests {
    /// A client endpoint and a server on one event loop, with the events of the client's connection.
    private final class Pair: QUICConnectionObserver {
        let endpoint: QUICEndpoint
        let server: QUICEchoServer
        let channel: any Channel
        var handle: QUICConnectionHandle?
        var stream: QUICStreamID?
        var received = ByteBuffer()
        let expected: Int
        let done: EventLoopPromise<Int>
        let closed: EventLoopPromise<QUICError>

        init(_ server: QUICEchoServer, _ channel: any Channel, expected: Int) throws {
            self.server = server
            self.channel = channel
            self.expected = expected
            endpoint = try QUICEndpoint(
                eventLoop: channel.eventLoop, family: .ipv4,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            done = channel.eventLoop.makePromise()
            closed = channel.eventLoop.makePromise()
        }

        func start(_ tls: QUICTLSContext) throws {
            let remote = try #require(channel.localAddress)
            handle = try endpoint.connect(
                to: remote, serverName: "localhost", configuration: QUICConfiguration(alpn: ["mqtt"]), tls: tls,
                observer: self)
        }

        func write() {
            guard let handle, let stream else { return }
            handle.write(stream, ByteBuffer(repeating: 7, count: expected))
        }

        func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
            switch event {
            case .handshakeCompleted:
                stream = try? handle.openStream()
                write()
            case .streamData(let stream, var bytes, _):
                handle.consumed(stream, bytes: bytes.readableBytes)
                received.writeBuffer(&bytes)
                if received.readableBytes == expected { done.succeed(received.readableBytes) }
            case .closed(let error):
                done.fail(error)
                closed.succeed(error)
            default:
                break
            }
        }
    }

    private func pair(expecting count: Int) async throws -> NIOLoopBound<Pair> {
        let certificates = try await Certificates.make()
        let serverTLS = try QUICTLSContext.server(
            certificateFile: certificates.certificate("server"), keyFile: certificates.key("server"))
        let clientTLS = try QUICTLSContext.client(caFile: certificates.certificate("ca"))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return try await loop.flatSubmit {
            let server = QUICEchoServer(tls: serverTLS)
            let bound = NIOLoopBound(server, eventLoop: loop)
            return DatagramBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(bound.value)
                    }
                }
                .bind(host: "127.0.0.1", port: 0)
                .flatMapThrowing { channel in
                    let pair = try Pair(bound.value, channel, expected: count)
                    try pair.start(clientTLS)
                    return NIOLoopBound(pair, eventLoop: loop)
                }
        }.get()
    }

    private func end(_ pair: NIOLoopBound<Pair>, on loop: any EventLoop) async throws {
        try await loop.submit {
            pair.value.done.fail(ChannelError.eof)
            pair.value.closed.succeed(.statelessReset)
            pair.value.endpoint.flushAndAbandon()
            pair.value.channel.close(promise: nil)
        }.get()
    }

    @Test func aMegabyteComesBack() async throws {
        let pair = try await pair(expecting: 1_000_000)
        let loop = pair.eventLoop
        let count = try await loop.flatSubmit { pair.value.done.futureResult }.get()
        #expect(count == 1_000_000)
        try await end(pair, on: loop)
    }

    /// RFC 9000 10.3: a stateless reset has a connection ID that the endpoint does not know.
    @Test func aServerThatForgotItsConnectionsIsNoticedAtOnce() async throws {
        let pair = try await pair(expecting: 100)
        let loop = pair.eventLoop
        _ = try await loop.flatSubmit { pair.value.done.futureResult }.get()
        let error = try await loop.flatSubmit {
            pair.value.server.forget()
            pair.value.write()
            return pair.value.closed.futureResult
        }.get()
        #expect(error == .statelessReset)
        #expect(try await loop.submit { pair.value.endpoint.connectionCount }.get() <= 1)
        try await end(pair, on: loop)
    }
}

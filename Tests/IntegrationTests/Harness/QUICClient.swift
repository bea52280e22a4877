import Logging
import NIOCore
import NIOPosix

@testable import QUICTransport

/// A QUIC client with raw streams, built on the bridge's own transport.
final class QUICClient: Sendable {
    private let loop: any EventLoop
    private let core: NIOLoopBound<Core>
    let events = EventLog<Event>()

    enum Event: Sendable, Equatable {
        case connected(alpn: String)
        /// How many bytes have been received on a stream in total.
        case bytes(UInt64, total: Int)
        case fin(UInt64)
        case reset(UInt64, code: UInt64)
        case streamClosed(UInt64)
        case closed(QUICError)
    }

    private final class Core: QUICConnectionObserver {
        let endpoint: QUICEndpoint
        let feed: AsyncStream<Event>.Continuation
        var handle: QUICConnectionHandle?
        var received: [UInt64: [UInt8]] = [:]
        /// The streams that are not read, so the server gets no credit for their bytes.
        var unread: Set<UInt64> = []

        init(_ endpoint: QUICEndpoint, _ feed: AsyncStream<Event>.Continuation) {
            self.endpoint = endpoint
            self.feed = feed
        }

        func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
            switch event {
            case .handshakeCompleted(let alpn): feed.yield(.connected(alpn: alpn))
            case .streamData(let stream, let bytes, let fin):
                let id = UInt64(stream.rawValue)
                received[id, default: []] += bytes.readableBytesView
                if !unread.contains(id) { handle.consumed(stream, bytes: bytes.readableBytes) }
                if bytes.readableBytes > 0 { feed.yield(.bytes(id, total: received[id]?.count ?? 0)) }
                if fin { feed.yield(.fin(id)) }
            case .streamReset(let stream, let code): feed.yield(.reset(UInt64(stream.rawValue), code: code))
            case .streamClosed(let stream): feed.yield(.streamClosed(UInt64(stream.rawValue)))
            case .closed(let error):
                feed.yield(.closed(error))
                feed.finish()
            default: break
            }
        }
    }

    struct Options: Sendable {
        var alpn = ["mqtt"]
        var host = "127.0.0.1"
        /// The name of a CA that certificates.py makes.
        var ca = "ca"
        /// The name of a client certificate that certificates.py makes.
        var certificate: String?
        var idleTimeout: Duration = .seconds(60)
        var streamWindow: UInt64 = 262_144
    }

    private init(_ loop: any EventLoop, _ core: NIOLoopBound<Core>, _ stream: AsyncStream<Event>) {
        self.loop = loop
        self.core = core
        let events = events
        Task {
            for await event in stream { await events.append(event) }
            await events.finish("the QUIC connection is over")
        }
    }

    /// Starts a connection without waiting for it; `connected()` does that.
    static func start(port: Int, _ options: Options = Options()) async throws -> QUICClient {
        let certificates = try await Certificates.make()
        let tls = try QUICTLSContext.client(
            caFile: certificates.certificate(options.ca),
            certificateFile: options.certificate.map { certificates.certificate($0) },
            keyFile: options.certificate.map { certificates.key($0) })
        let (stream, feed) = AsyncStream.makeStream(of: Event.self)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let core = try await loop.submit {
            let remote = try SocketAddress(ipAddress: options.host, port: port)
            let endpoint = try QUICEndpoint(
                eventLoop: loop, family: QUICAddressFamily(remote) ?? .ipv4,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let core = Core(endpoint, feed)
            var configuration = QUICConfiguration(alpn: options.alpn)
            configuration.idleTimeout = options.idleTimeout
            configuration.initialMaxStreamData = options.streamWindow
            configuration.initialMaxData = 64 * options.streamWindow
            core.handle = try endpoint.connect(
                to: remote, serverName: "localhost", configuration: configuration, tls: tls, observer: core)
            return NIOLoopBound(core, eventLoop: loop)
        }.get()
        return QUICClient(loop, core, stream)
    }

    static func connect(port: Int, _ options: Options = Options()) async throws -> QUICClient {
        let client = try await start(port: port, options)
        _ = try await client.connected()
        return client
    }

    /// Waits for the handshake, and returns the protocol that the server chose.
    @discardableResult
    func connected() async throws -> String {
        let event = try await events.first("the handshake") {
            switch $0 {
            case .connected, .closed: true
            default: false
            }
        }
        guard case .connected(let alpn) = event else { throw HarnessError("not connected: \(event)") }
        return alpn
    }

    func openStream() async throws -> UInt64 {
        let core = core
        let stream = try await loop.submit { try core.value.handle?.openStream() }.get()
        guard let stream else { throw HarnessError("the server allows no further stream now") }
        return UInt64(stream.rawValue)
    }

    func send(_ bytes: [UInt8], on stream: UInt64, fin: Bool = false) async throws {
        let core = core
        try await loop.submit {
            core.value.handle?.write(
                QUICStreamID(rawValue: Int64(stream)), bytes.isEmpty ? nil : ByteBuffer(bytes: bytes), fin: fin)
        }.get()
    }

    func reset(_ stream: UInt64, code: UInt64) async throws {
        let core = core
        try await loop.submit {
            core.value.handle?.reset(QUICStreamID(rawValue: Int64(stream)), code: code)
        }.get()
    }

    /// Switches reading a stream on or off. The server never gets credit for bytes that arrive while it is off, except
    /// through `consume`.
    func read(_ isOn: Bool, on stream: UInt64) async throws {
        let core = core
        try await loop.submit {
            if isOn { core.value.unread.remove(stream) } else { core.value.unread.insert(stream) }
        }.get()
    }

    /// Gives credit for bytes that arrived while reading was off.
    func consume(_ count: Int, on stream: UInt64) async throws {
        let core = core
        try await loop.submit {
            core.value.handle?.consumed(QUICStreamID(rawValue: Int64(stream)), bytes: count)
        }.get()
    }

    func close(_ code: UInt64 = 0) async throws {
        let core = core
        try await loop.submit { core.value.handle?.close(applicationCode: code) }.get()
    }

    /// Abandons the connection without telling the server.
    func vanish() async throws {
        let core = core
        try await loop.submit { core.value.endpoint.abandon() }.get()
    }

    /// The number of bytes that the server has not acknowledged.
    func bufferedBytes(_ stream: UInt64) async throws -> Int {
        let core = core
        return try await loop.submit {
            core.value.handle?.bufferedBytes(QUICStreamID(rawValue: Int64(stream))) ?? 0
        }.get()
    }

    /// Waits until this many bytes have come on the stream, and returns all of them.
    func received(_ count: Int, on stream: UInt64) async throws -> [UInt8] {
        _ = try await events.first("\(count) bytes on stream \(stream)") {
            if case .bytes(stream, let total) = $0 { total >= count } else { false }
        }
        return try await received(on: stream)
    }

    /// The bytes that have come on the stream so far.
    func received(on stream: UInt64) async throws -> [UInt8] {
        let core = core
        return try await loop.submit { core.value.received[stream] ?? [] }.get()
    }

    func expect(_ event: Event) async throws {
        _ = try await events.first("\(event)") { $0 == event }
    }

    /// Waits until the connection has ended, and returns how it did.
    func closed() async throws -> QUICError {
        let event = try await events.first("the end of the connection") {
            if case .closed = $0 { true } else { false }
        }
        guard case .closed(let error) = event else { throw HarnessError("not closed") }
        return error
    }

    func stop() async {
        let core = core
        try? await loop.submit { core.value.endpoint.flushAndAbandon() }.get()
    }
}

extension QUICClient {
    /// Opens a stream, sends CONNECT on it and waits for CONNACK. Returns the stream and the CONNACK.
    func session(
        _ clientID: String, level: UInt8 = 4, will: (topic: String, text: String)? = nil
    ) async throws -> (stream: UInt64, connack: [UInt8]) {
        let stream = try await openStream()
        try await send(RawMQTT.connect(clientID, level: level, will: will), on: stream)
        let head = try await received(2, on: stream)
        let connack = try await received(2 + Int(head[1]), on: stream)
        return (stream, connack)
    }
}

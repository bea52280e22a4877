import Logging
import MQTTCodec
import NIOCore
import NIOPosix
import Testing

@testable import MQTTQUICClient

/// A dialer of the client library on an event loop of its own, without a session above it.
struct TestDialer: Sendable {
    /// Looks up the addresses of a name with a port.
    typealias Resolve = @Sendable (String, Int, any EventLoop) -> EventLoopFuture<[SocketAddress]>

    let loop: any EventLoop
    private let dialer: NIOLoopBound<LinkDialer>
    private let group: MultiThreadedEventLoopGroup

    /// Runs `body` with a dialer, and checks afterwards that nothing is left of it.
    static func with<Result>(
        _ configuration: MQTTClientConfiguration, resolve: Resolve? = nil,
        _ body: (TestDialer) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let dialer = try await loop.submit {
            let dialer =
                resolve.map { LinkDialer(configuration, on: loop, logger: logger, resolve: $0) }
                ?? LinkDialer(configuration, on: loop, logger: logger)
            return NIOLoopBound(dialer, eventLoop: loop)
        }.get()
        do {
            let result = try await body(TestDialer(loop: loop, dialer: dialer, group: group))
            try await end(dialer, loop, group)
            return result
        } catch {
            try? await end(dialer, loop, group)
            throw error
        }
    }

    private static func end(
        _ dialer: NIOLoopBound<LinkDialer>, _ loop: any EventLoop, _ group: MultiThreadedEventLoopGroup
    ) async throws {
        let isLeft = try await loop.submit {
            dialer.value.release()
            return LinkSockets.isInUse(on: loop)
        }.get()
        try await group.shutdownGracefully()
        if isLeft { throw HarnessError("the sockets are still in use") }
    }

    /// Begins a link with a CONNECT packet of this client identifier.
    ///
    /// - Parameters:
    ///   - isSlow: Whether data streams get no credit.
    ///   - isAborted: Whether it is given up in the same tick.
    func dial(
        _ clientID: String, keepAlive: UInt16 = 60, isSlow: Bool = false, isAborted: Bool = false
    ) async throws -> TestLink {
        let connect = ByteBuffer(bytes: RawMQTT.connect(clientID, level: 5, keepAlive: keepAlive))
        let witness = LinkWitness(isSlow: isSlow)
        let link = try await loop.submit { [dialer] in
            let link = dialer.value.dial(connect: connect, observer: witness)
            if isAborted { link.abort() }
            witness.isInCall = false
            return NIOLoopBound(link as AnyObject, eventLoop: loop)
        }.get()
        return TestLink(loop: loop, link: link, told: witness.told)
    }

    /// Waits until that is true, in one tick of the loop after the other.
    func waits(until isTrue: @escaping @Sendable (LinkDialer) -> Bool) async throws {
        while try await !run(isTrue) { await Task.yield() }
    }

    func run<Result: Sendable>(_ body: @escaping @Sendable (LinkDialer) throws -> Result) async throws -> Result {
        try await loop.submit { [dialer] in try body(dialer.value) }.get()
    }
}

/// A link, and what it has told.
struct TestLink: Sendable {
    enum Told: Sendable {
        case opened(LinkFacts)
        /// A whole packet with its first byte.
        case packet(UInt8, [UInt8], LinkStream)
        case bytes(Int, LinkStream)
        case writable(LinkStream)
        case streamEnded(LinkStream)
        case moved(String)
        case ended(LinkEnd)
    }

    let loop: any EventLoop
    fileprivate let link: NIOLoopBound<AnyObject>
    let told: EventLog<Told>

    func run<Result: Sendable>(
        _ body: @escaping @Sendable (any BrokerLink) throws -> Result
    ) async throws -> Result {
        try await loop.submit { [link] in
            guard let link = link.value as? any BrokerLink else { throw HarnessError("not a link") }
            return try body(link)
        }.get()
    }

    func write(_ bytes: [UInt8], on stream: LinkStream = .control) async throws {
        try await run { $0.write(ByteBuffer(bytes: bytes), on: stream) }
    }

    /// Waits until the link is open.
    func opens() async throws -> LinkFacts {
        let told = try await told.first("the link to open") {
            switch $0 {
            case .opened, .ended: true
            default: false
            }
        }
        guard case .opened(let facts) = told else { throw HarnessError("the link did not open: \(told)") }
        return facts
    }

    /// Waits for a packet of that kind on the stream.
    @discardableResult
    func gets(_ first: UInt8, on stream: LinkStream = .control) async throws -> [UInt8] {
        let told = try await told.take("packet \(first) on \(stream)") {
            if case .packet(let kind, _, let at) = $0 { kind == first && at == stream } else { false }
        }
        guard case .packet(_, let bytes, _) = told else { throw HarnessError("not a packet: \(told)") }
        return bytes
    }

    /// Writes one long message, sees it wait in the link, and waits until there is room again and PUBACK comes.
    func fillsUpAndHasRoomAgain(bytes: Int) async throws {
        let packet = RawMQTT.publish("news", [UInt8](repeating: 7, count: bytes), packetID: 1, properties: [])
        let backlog = try await run { link in
            link.write(ByteBuffer(bytes: packet), on: .control)
            return link.backlog(of: .control)
        }
        #expect(backlog > LinkWaterMarks.high)
        _ = try await told.first("room") { if case .writable(.control) = $0 { true } else { false } }
        try await gets(0x40)
    }

    func ends() async throws -> LinkEnd {
        let told = try await told.first("the end of the link") {
            if case .ended = $0 { true } else { false }
        }
        guard case .ended(let end) = told else { throw HarnessError("not an end: \(told)") }
        return end
    }

    /// Waits for the link to end with an error, and returns it.
    func fails() async throws -> (error: MQTTClientError, isRetryUseful: Bool) {
        guard case .lost(let error, let isRetryUseful, _) = try await ends() else {
            throw HarnessError("the link ended without an error")
        }
        return (error, isRetryUseful)
    }

    /// Opens the link and waits for its CONNACK, which must accept.
    func connects() async throws -> LinkFacts {
        let facts = try await opens()
        let connack = try await gets(0x20)
        guard connack.count > 3, connack[3] == 0 else { throw HarnessError("the broker refused: \(connack)") }
        return facts
    }

    /// Publishes with QoS 1, and waits for the acknowledgement.
    func publish(_ topic: String, _ text: String, packetID: UInt16, on stream: LinkStream = .control) async throws {
        try await write(
            RawMQTT.publish(topic, Array(text.utf8), packetID: packetID, properties: []), on: stream)
        try await gets(0x40, on: stream)
    }

    /// Says DISCONNECT and waits for the end.
    func disconnects() async throws {
        try await run {
            $0.write(ByteBuffer(bytes: RawMQTT.disconnect), on: .control)
            $0.finish()
        }
        let end = try await ends()
        guard end == .finished else { throw HarnessError("the link did not end in order: \(end)") }
    }
}

/// Writes down what a link tells, and gives credit at once unless it is told not to.
final class LinkWitness: BrokerLinkObserver, @unchecked Sendable {
    let told = EventLog<TestLink.Told>()
    private let feed: AsyncStream<TestLink.Told>.Continuation
    private let isSlow: Bool
    private var pending: [LinkStream: [UInt8]] = [:]
    /// Whether the call that begins the link has not returned yet.
    var isInCall = true

    init(isSlow: Bool) {
        self.isSlow = isSlow
        let (stream, feed) = AsyncStream.makeStream(of: TestLink.Told.self)
        self.feed = feed
        let told = told
        Task {
            for await one in stream { await told.append(one) }
        }
    }

    private func tell(_ told: TestLink.Told) {
        precondition(!isInCall, "told from within a call")
        feed.yield(told)
    }

    func linkOpened(_ link: any BrokerLink, _ facts: LinkFacts) { tell(.opened(facts)) }

    func link(_ link: any BrokerLink, received bytes: ByteBuffer, on stream: LinkStream) {
        tell(.bytes(bytes.readableBytes, stream))
        pending[stream, default: []] += Array(bytes.readableBytesView)
        while let packet = nextPacket(stream) { tell(.packet(packet[0], packet, stream)) }
        if stream == .control || !isSlow { link.consumed(bytes.readableBytes, on: stream) }
    }

    private func nextPacket(_ stream: LinkStream) -> [UInt8]? {
        guard let bytes = pending[stream], bytes.count >= 2 else { return nil }
        var length = 0
        for (index, byte) in bytes.dropFirst().prefix(4).enumerated() {
            length |= Int(byte & 0x7F) << (7 * index)
            guard byte & 0x80 == 0 else { continue }
            let size = 2 + index + length
            guard bytes.count >= size else { return nil }
            pending[stream] = Array(bytes.dropFirst(size))
            return Array(bytes.prefix(size))
        }
        return nil
    }

    func linkWritable(_ link: any BrokerLink, on stream: LinkStream) { tell(.writable(stream)) }
    func link(_ link: any BrokerLink, ended stream: LinkStream) { tell(.streamEnded(stream)) }
    func linkMoved(_ link: any BrokerLink, to localAddress: String) { tell(.moved(localAddress)) }
    func linkEnded(_ link: any BrokerLink, _ end: LinkEnd) { tell(.ended(end)) }
}

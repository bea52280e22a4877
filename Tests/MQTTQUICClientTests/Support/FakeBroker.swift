import Logging
import MQTTCodec
import NIOCore
import NIOPosix

@testable import MQTTQUICClient

/// A client whose link is a ``FakeLink``, and the test's hand on it.
struct FakeBroker: Sendable {
    let client: MQTTClient
    private let eventLoop: any EventLoop
    private let dialer: NIOLoopBoundBox<FakeDialer>
    /// All that the client does, in order.
    let events: AsyncStream<FakeEvent>

    init(_ configuration: MQTTClientConfiguration = .test) throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let (events, continuation) = AsyncStream.makeStream(of: FakeEvent.self)
        let version = configuration.version.codec
        let dialer = try eventLoop.submit {
            let dialer = FakeDialer(on: eventLoop, version: version) { continuation.yield($0) }
            return NIOLoopBoundBox(dialer, eventLoop: eventLoop)
        }.wait()
        client = try eventLoop.submit {
            let value = dialer.value
            return MQTTClient(
                configuration, on: eventLoop,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, dialer: { value })
        }.wait()
        self.eventLoop = eventLoop
        self.dialer = dialer
        self.events = events
    }

    /// On the event loop, with the present link.
    @discardableResult
    func link<Value: Sendable>(_ body: @escaping @Sendable (FakeLink) -> Value) async throws -> Value? {
        let dialer = dialer
        return try await eventLoop.submit { dialer.value.link.map(body) }.get()
    }

    func accept(_ connack: Connack = Connack(), dataStreams: Int = 0) async throws {
        try await link { link in
            link.allowedStreams = dataStreams
            link.open()
            link.receive(.connack(connack), on: .control)
        }
    }

    func send(_ packet: Packet, on stream: LinkStream = .control) async throws {
        try await link { $0.receive(packet, on: stream) }
    }

    func message(_ topic: String, _ text: String, _ packetID: UInt16? = nil) async throws {
        let qos: QoS = packetID == nil ? .atMostOnce : .atLeastOnce
        try await send(
            .publish(PublishHead(qos: qos, topic: topic, packetID: packetID), payload: ByteBuffer(string: text)))
    }

    func lose(isRetryUseful: Bool = true) async throws {
        try await link { $0.lose(.connectionLost(detail: "test"), isRetryUseful: isRetryUseful) }
    }

    /// What the client keeps on its event loop.
    func inside<Value: Sendable>(_ body: @escaping @Sendable (ClientRuntime) -> Value) async throws -> Value {
        let runtime = client.runtime
        return try await eventLoop.submit { body(runtime.value) }.get()
    }

    /// Whether nothing is left of any operation.
    func isClean() async throws -> Bool {
        try await inside { runtime in
            runtime.waiters.isEmpty && runtime.buffers.isEmpty && runtime.full.isEmpty && runtime.dropping.isEmpty
                && runtime.shares.isEmpty
                && runtime.requests.waiting.isEmpty && runtime.session.outstandingCount == 0
                && runtime.session.subscriptions.entries.isEmpty && runtime.session.unsentRequests.isEmpty
                && runtime.session.sentRequests.isEmpty && runtime.session.flows.allSatisfy { $0.isEmpty }
        }
    }

    /// Whether, besides, there is neither a connection nor a timer.
    func isIdle() async throws -> Bool {
        let isClean = try await isClean()
        let isOver = try await inside { runtime in
            runtime.phase == .idle && runtime.link == nil && runtime.closing.isEmpty && !runtime.timer.isArmed
                && !runtime.keepAliveTimer.isArmed
        }
        return isClean && isOver
    }
}

/// Reads what the client does, one event after another.
struct FakeReader {
    private var iterator: AsyncStream<FakeEvent>.Iterator

    init(_ broker: FakeBroker) { iterator = broker.events.makeAsyncIterator() }

    mutating func next() async -> FakeEvent? { await iterator.next() }

    /// The next packet, whatever happens before it.
    mutating func packet() async -> Packet? {
        while let event = await iterator.next() {
            if case .packet(let packet, _) = event { return packet }
        }
        return nil
    }

    /// The packet identifier of the next SUBSCRIBE, UNSUBSCRIBE, PUBLISH or acknowledgement.
    mutating func packetID() async -> UInt16 {
        switch await packet() {
        case .subscribe(let packet)?: packet.packetID
        case .unsubscribe(let packet)?: packet.packetID
        case .publish(let head, _)?: head.packetID ?? 0
        case .puback(let ack)?, .pubrec(let ack)?, .pubrel(let ack)?, .pubcomp(let ack)?: ack.packetID
        default: 0
        }
    }

    mutating func dialed() async -> Connect? {
        while let event = await iterator.next() {
            if case .dialed(let connect) = event { return connect }
        }
        return nil
    }
}

extension FakeBroker {
    /// A client that is connected, and what it does from then on.
    static func connected(
        _ configuration: MQTTClientConfiguration = .test, _ connack: Connack = Connack(), dataStreams: Int = 0
    ) async throws -> (FakeBroker, FakeReader) {
        let broker = try FakeBroker(configuration)
        var reader = FakeReader(broker)
        async let answer = broker.client.connect()
        _ = await reader.dialed()
        try await broker.accept(connack, dataStreams: dataStreams)
        _ = try await answer
        return (broker, reader)
    }

    /// A subscription of QoS 1 that is granted.
    func subscribed(
        _ reader: inout FakeReader, _ filter: String, buffer: Int = 64
    ) async throws -> MQTTMessages {
        async let messages = client.subscribe(to: [MQTTSubscription(filter)], buffer: buffer)
        let packetID = await reader.packetID()
        try await send(.suback(Suback(packetID: packetID, codes: [1])))
        return try await messages
    }
}

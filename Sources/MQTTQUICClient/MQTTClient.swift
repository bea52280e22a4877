import Logging
import NIOCore
import NIOPosix
import Synchronization

/// An MQTT client whose connection is QUIC, or TLS over TCP where QUIC does not get through.
///
/// ```swift
/// let answer = try await MQTTClient.withClient(configuration) { client in
///     try await client.publish(MQTTMessage(topic: "a/b", text: "hello", qos: .atLeastOnce))
/// }
/// ```
/// All methods can be called from any task. A client that is let go of disconnects.
public final class MQTTClient: Sendable {
    let runtime: NIOLoopBoundBox<ClientRuntime>
    let eventLoop: any EventLoop
    private let lastOperation = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - eventLoopGroup: One of its event loops does all of the client's work.
    ///   - logger: By default nothing is logged.
    public convenience init(
        _ configuration: MQTTClientConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "MQTTQUICClient") { _ in SwiftLogNoOpLogHandler() }
    ) {
        let eventLoop = eventLoopGroup.next()
        self.init(configuration, on: eventLoop, logger: logger) {
            LinkDialer(configuration, on: eventLoop, logger: logger)
        }
    }

    /// - Parameter dialer: Called once, on the event loop.
    init(
        _ configuration: MQTTClientConfiguration, on eventLoop: any EventLoop, logger: Logger,
        dialer: () -> any BrokerLinkDialer
    ) {
        self.eventLoop = eventLoop
        runtime = .makeBoxSendingValue(
            ClientRuntime(configuration, on: eventLoop, dialer: dialer(), logger: logger), eventLoop: eventLoop)
    }

    deinit {
        let runtime = runtime
        eventLoop.execute { runtime.value.shutDown() }
    }

    /// Connects, runs `body` and disconnects, whether `body` returns or throws.
    @discardableResult
    public static func withClient<Result: Sendable>(
        _ configuration: MQTTClientConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "MQTTQUICClient") { _ in SwiftLogNoOpLogHandler() },
        _ body: (MQTTClient) async throws -> Result
    ) async throws -> Result {
        let client = MQTTClient(configuration, eventLoopGroup: eventLoopGroup, logger: logger)
        try await client.connect()
        do {
            let result = try await body(client)
            await client.disconnect()
            return result
        } catch {
            await client.disconnect()
            throw error
        }
    }

    /// Makes the connection. This is one try; only a connection that was there and was lost is made again by itself.
    @discardableResult
    public func connect() async throws(MQTTClientError) -> MQTTConnectAnswer {
        try await call { $0.connect($1, $2) }
    }

    /// Ends the connection and all that waits. The broker publishes no will, unless `reason` is
    /// ``MQTTReasonCode/disconnectWithWill``.
    ///
    /// Returns when the broker has confirmed the end, or after 10 s. It goes on if the task is cancelled, so that a
    /// cancelled task can end its connection in good order.
    /// - Parameter sessionExpiry: Replaces the configuration's, if that is not zero.
    public func disconnect(
        reason: MQTTReasonCode = .success, sessionExpiry: Duration? = nil, userProperties: [MQTTUserProperty] = []
    ) async {
        await withCheckedContinuation { continuation in
            onLoop { runtime in
                runtime.disconnect(
                    reason: reason, sessionExpiry: sessionExpiry, userProperties: userProperties, continuation)
            }
        }
    }

    /// What happens to the connection from now on. Each call gives a sequence of its own; one that nobody reads keeps
    /// the last 64 events.
    public var events: AsyncStream<MQTTClientEvent> {
        let number = nextOperation().number
        let (stream, continuation) = AsyncStream.makeStream(
            of: MQTTClientEvent.self, bufferingPolicy: .bufferingNewest(64))
        let runtime = runtime
        let eventLoop = eventLoop
        continuation.onTermination = { _ in eventLoop.execute { runtime.value.events[number] = nil } }
        onLoop { $0.events[number] = continuation }
        return stream
    }

    // MARK: - Calls to the event loop

    func nextOperation() -> ClientOperation {
        ClientOperation(number: lastOperation.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    func onLoop(_ body: @escaping @Sendable (ClientRuntime) -> Void) {
        let runtime = runtime
        eventLoop.execute { body(runtime.value) }
    }

    /// Begins an operation on the event loop and waits for its outcome. If the task is cancelled, so is the operation.
    func call<Value: Sendable>(
        _ operation: ClientOperation? = nil,
        _ begin: @escaping @Sendable (ClientRuntime, ClientOperation, ClientRuntime.Continuation<Value>) -> Void
    ) async throws(MQTTClientError) -> Value {
        let operation = operation ?? nextOperation()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: ClientRuntime.Continuation<Value>) in
                onLoop { begin($0, operation, continuation) }
                // The handler may have run before the operation began.
                if Task.isCancelled { cancel(operation) }
            }
        } onCancel: {
            cancel(operation)
        }
        return try result.get()
    }

    private func cancel(_ operation: ClientOperation) {
        onLoop { $0.cancel(operation) }
    }
}

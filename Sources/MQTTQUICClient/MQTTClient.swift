import Logging
import NIOCore
import NIOPosix

/// An MQTT client whose connection is QUIC, or TLS over TCP where QUIC does not get through.
public final class MQTTClient: Sendable {
    /// - Parameters:
    ///   - eventLoopGroup: One of its event loops does all of the client's work.
    ///   - logger: By default nothing is logged.
    public init(
        _ configuration: MQTTClientConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "MQTTQUICClient") { _ in SwiftLogNoOpLogHandler() }
    ) {
    }

    /// Connects, runs `body` and disconnects, whether `body` returns or throws.
    public static func withClient<Result: Sendable>(
        _ configuration: MQTTClientConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "MQTTQUICClient") { _ in SwiftLogNoOpLogHandler() },
        _ body: (MQTTClient) async throws -> Result
    ) async throws -> Result {
        preconditionFailure("not written yet")
    }

    /// Makes the connection. One try; only a lost connection is made again by itself.
    @discardableResult
    public func connect() async throws(MQTTClientError) -> MQTTConnectAnswer {
        preconditionFailure("not written yet")
    }

    /// Publishes a message.
    ///
    /// - Returns: When the broker has acknowledged it: PUBACK or PUBCOMP. With QoS 0, when it was handed to the
    ///   connection, and no more than a fixed number of bytes wait there.
    @discardableResult
    public func publish(_ message: MQTTMessage) async throws(MQTTClientError) -> MQTTPublishAnswer {
        preconditionFailure("not written yet")
    }

    /// Subscribes, and unsubscribes when the sequence is let go of.
    ///
    /// - Parameters:
    ///   - identifier: Appears in ``MQTTMessageProperties/subscriptionIdentifiers`` of the messages. Below 200 000 000.
    ///   - buffer: How many messages may wait to be taken.
    /// - Throws: If the broker refuses all of the filters; ``MQTTMessages/granted`` tells of those that it refused.
    public func subscribe(
        to subscriptions: [MQTTSubscription], identifier: UInt32? = nil, userProperties: [MQTTUserProperty] = [],
        buffer: Int = 64
    ) async throws(MQTTClientError) -> MQTTMessages {
        preconditionFailure("not written yet")
    }

    /// Subscribes, runs `body`, and unsubscribes.
    public func subscribe<Result: Sendable>(
        to subscriptions: [MQTTSubscription], identifier: UInt32? = nil, userProperties: [MQTTUserProperty] = [],
        buffer: Int = 64, _ body: (MQTTMessages) async throws -> Result
    ) async throws -> Result {
        preconditionFailure("not written yet")
    }

    /// The messages that no subscription of this client asked for: those of an earlier session, before it subscribes
    /// again. Ask for it before ``connect()``. As long as nobody does, such messages are acknowledged and dropped.
    public func unclaimedMessages(buffer: Int = 64) -> MQTTMessages {
        preconditionFailure("not written yet")
    }

    /// Ends subscriptions. Sequences all of whose filters are named end as well.
    @discardableResult
    public func unsubscribe(
        from filters: [String], userProperties: [MQTTUserProperty] = []
    ) async throws(MQTTClientError) -> [MQTTReasonCode] {
        preconditionFailure("not written yet")
    }

    /// Publishes a message and waits for its answer (MQTT 5 4.10).
    ///
    /// The correlation data is the client's own. The response topic is the message's if it has one.
    public func request(_ message: MQTTMessage, timeout: Duration) async throws(MQTTClientError) -> MQTTMessage {
        preconditionFailure("not written yet")
    }

    /// Ends the connection and all that waits. The broker publishes no will, unless `reason` is
    /// ``MQTTReasonCode/disconnectWithWill``.
    public func disconnect(
        reason: MQTTReasonCode = .success, sessionExpiry: Duration? = nil, userProperties: [MQTTUserProperty] = []
    ) async {
        preconditionFailure("not written yet")
    }

    /// What happens to the connection from now on. Each call gives a sequence of its own; one that nobody reads keeps
    /// the last 64 events.
    public var events: AsyncStream<MQTTClientEvent> { preconditionFailure("not written yet") }
}

/// The messages of a subscription, in the order in which the broker sent them. One task iterates over it, once.
///
/// A message of QoS 1 or 2 is acknowledged when it is taken. While the buffer is full, nothing more is read from the
/// broker than fits into the connection's window. While a task waits for an answer of the broker's, messages go on
/// coming: a sequence that holds three mebibytes then drops those of QoS 0. Those of QoS 1 and 2 are never dropped; at
/// six mebibytes the broker has to wait. When the sequence and its iterators are let go of, the client unsubscribes.
public struct MQTTMessages: AsyncSequence, Sendable {
    public typealias Element = MQTTMessage
    public typealias Failure = MQTTClientError

    /// What the broker granted for each filter, in their order.
    public let granted: [MQTTReasonCode]
    let handle: SubscriptionHandle

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(handle: handle) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let handle: SubscriptionHandle

        /// The next message, as soon as there is one.
        ///
        /// A call that is cancelled loses no message.
        /// - Returns: `nil` when the subscription has ended: ``MQTTClient/unsubscribe(from:userProperties:)`` or
        ///   ``MQTTClient/disconnect(reason:sessionExpiry:userProperties:)`` was called.
        /// - Throws: If the connection is lost for good, or the task is cancelled.
        public mutating func next() async throws(MQTTClientError) -> MQTTMessage? {
            try await handle.buffer.next().get()
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(MQTTClientError) -> MQTTMessage? {
            try await handle.buffer.next().get()
        }
    }
}

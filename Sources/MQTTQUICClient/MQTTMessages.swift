/// The messages of a subscription, in the order in which the broker sent them. One task iterates over it, once.
///
/// A message of QoS 1 or 2 is acknowledged when it is taken. While the buffer is full, nothing more is read from the
/// broker than fits into the connection's window.
public struct MQTTMessages: AsyncSequence, Sendable {
    public typealias Element = MQTTMessage
    public typealias Failure = MQTTClientError

    /// What the broker granted for each filter, in their order.
    public let granted: [MQTTReasonCode]

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }

    public struct AsyncIterator: AsyncIteratorProtocol {
        /// - Returns: `nil` when the subscription has ended: ``MQTTClient/unsubscribe(from:)`` or
        ///   ``MQTTClient/disconnect(reason:sessionExpiry:)`` was called.
        /// - Throws: If the connection is lost for good, or the task is cancelled.
        public mutating func next() async throws(MQTTClientError) -> MQTTMessage? {
            preconditionFailure("not written yet")
        }
    }
}

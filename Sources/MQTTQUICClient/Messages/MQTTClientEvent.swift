/// What happens to a client's connection.
public enum MQTTClientEvent: Sendable, Equatable {
    case connected(MQTTConnectAnswer)
    /// The connection was lost, or could not be made again.
    /// - Parameter retryIn: When the client tries next; `nil` if it does not.
    case disconnected(MQTTClientError, retryIn: Duration?)
    /// The client has another address now, and the connection goes on.
    /// - Parameter to: The new local address.
    case moved(to: String)
    /// ``MQTTClient/disconnect(reason:sessionExpiry:)`` has ended the connection.
    case closed
}

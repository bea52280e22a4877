/// What happens to a client's connection.
public enum MQTTClientEvent: Sendable, Equatable {
    case connected(MQTTConnectAnswer)
    /// The connection was lost, or could not be made again.
    /// - Parameter retryIn: When the client tries next; `nil` if it does not.
    case disconnected(MQTTClientError, retryIn: Duration?)
    /// The client has another address now, and the connection goes on.
    /// - Parameter to: The new local address.
    case moved(to: String)
    /// The broker had forgotten the session and did not grant this filter again. Its messages do not come any more. A
    /// sequence that has no other filter ends with ``MQTTClientError/rejected(_:reason:)``.
    case subscriptionRefused(filter: String, MQTTReasonCode, reason: String?)
    /// ``MQTTClient/disconnect(reason:sessionExpiry:userProperties:)`` has ended the connection.
    case closed
}

extension MQTTClientEvent: CustomStringConvertible {
    /// One line for a log or a terminal.
    public var description: String {
        switch self {
        case .connected(let answer):
            "connected to \(answer.remoteAddress) over \(answer.transport) as \(answer.clientID)"
                + (answer.isSessionPresent ? ", with the session from before" : "")
        case .disconnected(let error, let wait?): "disconnected, next try in \(wait.inWords): \(error)"
        case .disconnected(let error, nil): "disconnected: \(error)"
        case .moved(let address): "moved to \(address)"
        case .subscriptionRefused(let filter, let code, let reason):
            "the broker did not grant \(filter) again: \(code)" + (reason.map { ", \"\($0)\"" } ?? "")
        case .closed: "closed"
        }
    }
}

extension MQTTTransport: CustomStringConvertible {
    public var description: String {
        switch self {
        case .quic: "QUIC"
        case .tls: "TLS over TCP"
        }
    }
}

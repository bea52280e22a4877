extension MQTTClientError: CustomStringConvertible {
    /// One sentence or two, without a full stop at the end.
    public var description: String {
        switch self {
        case .nameNotFound(let host, let detail):
            "the name \(host) cannot be resolved (\(detail)): check the host's name and the network's DNS"
        case .unreachable(let address, let detail):
            "\(address) cannot be reached (\(detail)): check the host, the port and whether UDP passes the firewall"
        case .handshakeTimedOut(let address, let limit):
            "the handshake with \(address) did not finish within \(limit.inWords): check that a broker with QUIC is there"
        case .certificateRefused(let host, let detail):
            "the certificate of \(host) is not trusted: \(detail)"
        case .clientCertificateRefused(let detail):
            "the broker wants another client certificate: \(detail)"
        case .applicationProtocolNotOffered(let address, let alpn):
            "\(address) does not speak the application protocol \(alpn): check the port"
        case .handshakeFailed(let address, let detail): "the handshake with \(address) failed: \(detail)"
        case .invalidTLSFile(let path, let detail): "\(path) cannot be used: \(detail)"
        case .refused(let code, let reason, let server):
            "the broker refused the connection: \(code)" + Self.suffix(reason, server) + Self.advice(code)
        case .disconnectedByBroker(let code, let reason, let server):
            "the broker ended the connection: \(code)" + Self.suffix(reason, server)
        case .sessionTakenOver:
            "another client has connected with the same client identifier: give each client one of its own"
        case .connectionLost(let detail): "the connection is lost: \(detail)"
        case .protocolError(let detail): "the broker broke a rule of MQTT: \(detail)"
        case .timedOut(let operation, let limit): "\(operation) did not finish within \(limit.inWords)"
        case .cancelled: "the task was cancelled"
        case .notConnected: "the client is not connected: call connect() first"
        case .alreadyConnected:
            "the client is connected, connecting or disconnecting: wait until disconnect() returns before connect()"
        case .rejected(let code, let reason): "the broker did not accept this: \(code)" + Self.suffix(reason, nil)
        case .deliveryUnknown(let topic):
            "the broker has forgotten the session in which the message to \(topic) was sent with QoS 2, so it may or may"
                + " not have been delivered: set sessionExpiry to keep the session over a loss of the connection"
        case .expired(let topic):
            "the message to \(topic) was not sent: its expiry ended while it waited for the connection"
        case .packetTooLarge(let bytes, let limit):
            "the packet has \(bytes) bytes, and the broker accepts \(limit): send less in one message"
        case .notSupportedByBroker(let what): "the broker does not support \(what)"
        case .tooManyOutstanding(let limit):
            "\(limit) are waiting to be acknowledged already: wait for some before publishing more"
        case .invalidArgument(let what): what
        }
    }

    private static func suffix(_ reason: String?, _ serverReference: String?) -> String {
        (reason.map { ", \"\($0)\"" } ?? "") + (serverReference.map { ", it names another server: \($0)" } ?? "")
    }

    private static func advice(_ code: MQTTReasonCode) -> String {
        switch code {
        case .badUserNameOrPassword, .notAuthorized: ": check the user name, the password and the client identifier"
        case .unsupportedProtocolVersion: ": use the other version of MQTT"
        case .clientIdentifierNotValid: ": use another client identifier"
        default: ""
        }
    }
}

/// What went wrong. ``description`` says it in a sentence, with what can be done.
public enum MQTTClientError: Error, Sendable, Equatable {
    // Before there is a connection

    /// The host's name could not be resolved.
    case nameNotFound(host: String, detail: String)
    /// The network or the host says that there is no way, or no answer came.
    case unreachable(address: String, detail: String)
    /// The handshake began and did not finish in time.
    case handshakeTimedOut(address: String, after: Duration)
    /// This client does not trust the broker's certificate.
    case certificateRefused(host: String, detail: String)
    /// The broker wants a certificate of the client's, or does not accept it.
    case clientCertificateRefused(detail: String)
    /// The broker speaks another protocol at that port.
    case applicationProtocolNotOffered(address: String, alpn: String)
    /// The handshake failed in another way.
    case handshakeFailed(address: String, detail: String)
    /// A file of ``MQTTClientConfiguration/TLS`` cannot be used.
    case invalidTLSFile(path: String, detail: String)
    /// The broker's CONNACK refuses the client.
    case refused(MQTTReasonCode, reason: String?, serverReference: String?)

    // The connection's end

    /// The broker's DISCONNECT.
    case disconnectedByBroker(MQTTReasonCode, reason: String?, serverReference: String?)
    /// Another client with the same identifier has connected.
    case sessionTakenOver
    /// The network or the broker is gone.
    case connectionLost(detail: String)
    /// The broker broke a rule of MQTT.
    case protocolError(detail: String)

    // One operation

    /// What was waited for did not come in time.
    case timedOut(operation: String, after: Duration)
    /// The task was cancelled.
    case cancelled
    /// There is no connection, and none is being made.
    case notConnected
    /// ``MQTTClient/connect()`` was called while there was a connection, or before the end of the last one.
    case alreadyConnected
    /// The broker does not accept the message or the subscription.
    case rejected(MQTTReasonCode, reason: String?)
    /// The session that a message of QoS 2 was sent in is gone, so that nobody can tell whether it was delivered.
    case deliveryUnknown(topic: String)
    /// The message's ``MQTTMessageProperties/expiry`` ended before it could be sent.
    case expired(topic: String)
    /// The packet is larger than the broker accepts.
    case packetTooLarge(bytes: Int, limit: Int)
    /// The broker said in CONNACK that it cannot do this.
    case notSupportedByBroker(String)
    /// As many messages wait as the configuration allows.
    case tooManyOutstanding(limit: String)
    /// What the caller gave makes no sense.
    case invalidArgument(String)
}

import MQTTCodec

/// Why a session through `serve` ended, for the log.
package enum RelayEnd: Sendable, Equatable {
    /// The client sent DISCONNECT and ended.
    case clientDisconnected
    /// The client's FIN without DISCONNECT: the broker publishes the will.
    case clientFinished
    /// RESET_STREAM or STOP_SENDING; `code` where it is known.
    case clientReset(code: UInt64?)
    /// The QUIC connection is gone.
    case connectionLost(String)
    /// No whole CONNECT within `serve.connect_within`.
    case noConnectPacket
    /// What came was no CONNECT, or one that is not accepted.
    case violation(String)
    /// Too much waits for the broker.
    case overloaded
    /// The broker closed the TCP connection.
    case brokerClosed
    /// The TCP connection broke.
    case brokerLost(String)
    case brokerUnreachable(String)
    /// This program is shutting down.
    case shutdown

    package var importance: SessionEnd.Importance {
        switch self {
        case .clientDisconnected, .clientFinished, .clientReset, .connectionLost, .noConnectPacket, .brokerClosed,
            .shutdown:
            .normal
        case .violation, .overloaded, .brokerLost, .brokerUnreachable: .fault
        }
    }
}

extension RelayEnd: CustomStringConvertible {
    package var description: String {
        switch self {
        case .clientDisconnected: "the client disconnected"
        case .clientFinished: "the client ended its stream without DISCONNECT"
        case .clientReset(let code?): "the client reset its stream with code \(code)"
        case .clientReset(nil): "the client reads its stream no more"
        case .connectionLost(let why): why
        case .noConnectPacket: "no CONNECT came in time (serve.connect_within)"
        case .violation(let what): "the client broke the protocol: \(what)"
        case .overloaded: "too many bytes of clients wait for the broker"
        case .brokerClosed: "the broker closed the connection"
        case .brokerLost(let why): "the connection to the broker was lost: \(why)"
        case .brokerUnreachable(let why): "the broker could not be reached: \(why)"
        case .shutdown: "the server is shutting down"
        }
    }
}

/// Application error codes of streams and connections (RFC 9000 20.2).
package enum ServeCode {
    /// All is well; also for a stream that ALPN `mqtt` has no room for, as EMQX does.
    package static let none: UInt64 = 0
    /// Going away, or the broker did: worth another attempt. EMQX: "overloaded, retry later".
    package static let goingAway: UInt64 = 2

    /// The draft "MQTT over QUIC" signals MQTT's reasons so.
    package static func reason(_ code: ReasonCode) -> UInt64 { 0x300 + UInt64(code.rawValue) }
}

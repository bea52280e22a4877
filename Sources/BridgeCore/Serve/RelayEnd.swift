import MQTTCodec

/// Why a session through `serve` ended, for the log.
package enum RelayEnd: Sendable, Equatable {
    /// The client sent DISCONNECT, and its side ended.
    case clientDisconnected
    /// The client sent FIN without DISCONNECT, so the broker publishes the will.
    case clientFinished
    /// The client sent RESET_STREAM, with `code`, or STOP_SENDING, whose code is not known.
    case clientReset(code: UInt64?)
    /// The QUIC connection was closed or lost.
    case connectionLost(String)
    /// The client sent no whole CONNECT within `serve.connect_within`.
    case noConnectPacket
    /// The client's first packet was not CONNECT, or was too long.
    case violation(String)
    /// Too many bytes were waiting for the TCP connection to the broker.
    case overloaded
    /// The broker closed the TCP connection.
    case brokerClosed
    /// The TCP connection broke.
    case brokerLost(String)
    case brokerUnreachable(String)
    /// An operator ended the session over the admin endpoint.
    case removedByOperator
    /// This program is shutting down.
    case shutdown

    /// Whether the end is ordinary, or a fault that an operator should see.
    package var importance: SessionEnd.Importance {
        switch self {
        case .clientDisconnected, .clientFinished, .clientReset, .connectionLost, .noConnectPacket, .brokerClosed,
            .removedByOperator, .shutdown:
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
        case .clientReset(nil): "the client stopped reading its stream"
        case .connectionLost(let why): why
        case .noConnectPacket: "the client sent no CONNECT in time (serve.connect_within)"
        case .violation(let what): "the client broke the protocol: \(what)"
        case .overloaded: "too many bytes from clients are waiting for the broker"
        case .brokerClosed: "the broker closed the connection"
        case .brokerLost(let why): "the connection to the broker was lost: \(why)"
        case .brokerUnreachable(let why): "the broker could not be reached: \(why)"
        case .removedByOperator: "an operator disconnected the client"
        case .shutdown: "the server is shutting down"
        }
    }
}

/// The application error codes that `serve` uses for streams and connections (RFC 9000 20.2).
package enum ServeCode {
    /// There was no error. Like EMQX, `serve` also uses it to refuse a second stream with the ALPN `mqtt`.
    package static let none: UInt64 = 0
    /// The session is over, and the client should not take it for a lost network. In EMQX it means that the control stream
    /// is down.
    package static let sessionOver: UInt64 = 1
    /// The server or its broker is going away, and the client may try again. In EMQX it means "overloaded, retry later".
    package static let goingAway: UInt64 = 2

    /// The server takes nobody new, and the client should connect to another one.
    package static let goElsewhere = reason(.serverShuttingDown)

    /// The code for a connection of one session that has ended and whose client does not end it itself: what the end of its
    /// stream said, in case that has not arrived.
    ///
    /// - Parameter reset: The code with which the stream was reset, if it was.
    package static func ofConnection(afterReset reset: UInt64?) -> UInt64 {
        // As the code of a connection, 0 says nothing about the session.
        reset.flatMap { $0 == none ? nil : $0 } ?? sessionOver
    }

    /// The code for a reason of MQTT 5, as the draft "MQTT over QUIC" defines it.
    package static func reason(_ code: ReasonCode) -> UInt64 { 0x300 + UInt64(code.rawValue) }
}

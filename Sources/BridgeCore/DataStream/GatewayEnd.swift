import MQTTCodec

/// Why a session of the gateway ended, or never began.
package enum GatewayEnd: Sendable, Equatable {
    /// The broker's CONNACK refused the gateway. The code is the packet's own, the reason is a 5.0 broker's text.
    case refused(code: UInt8, reason: String?)
    /// Another client came with the same client id.
    case takenOver
    /// The broker sent DISCONNECT (5.0), or closed with an MQTT reason code.
    case disconnected(code: UInt8, reason: String?)
    /// The broker ended the control stream or the connection without saying why.
    case closedByBroker
    /// The broker sent what it may not send here.
    case violation(MQTTError)
    /// No CONNACK or no PINGRESP came in time.
    case noAnswer(String)
    case lost(String)
    /// The bridge shut the session down.
    case shutDown

    /// How long the gateway has to leave that client id alone at least, whatever the backoff says: two gateways that
    /// fight over one id get some time to stop ("MQTT over QUIC", session taken over). A 3.1.1 broker announces a
    /// takeover only by FIN.
    package func minimumPause(_ version: MQTTVersion) -> Duration {
        switch self {
        case .takenOver: .seconds(5)
        case .closedByBroker: version == .v5_0 ? .zero : .seconds(5)
        case .refused, .disconnected, .violation, .noAnswer, .lost, .shutDown: .zero
        }
    }

    /// Whether only an operator can put it right, so that it is logged as an error.
    package var needsOperator: Bool {
        switch self {
        case .takenOver, .violation: true
        case .refused(let code, _): !Self.isTransient(code)
        case .disconnected(let code, _): code >= 0x80 && !Self.isTransient(code)
        case .closedByBroker, .noAnswer, .lost, .shutDown: false
        }
    }

    /// Whether the broker has too much to do or is shutting down, so that all of the gateway's sessions have to wait a
    /// little.
    package var isBrokerBusy: Bool {
        switch self {
        case .refused(let code, _), .disconnected(let code, _): Self.isTransient(code)
        case .takenOver, .closedByBroker, .violation, .noAnswer, .lost, .shutDown: false
        }
    }

    /// "Server unavailable" of 3.1.1; unavailable, busy, shutting down and connection rate exceeded of 5.0.
    private static func isTransient(_ code: UInt8) -> Bool {
        switch code {
        case 3, 0x88, 0x89, 0x8B, 0x9F: true
        default: false
        }
    }
}

extension GatewayEnd: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let code, let reason):
            "the broker refused the gateway: \(ConnackCode.describe(code))\(Self.inWords(reason))\(Self.hint(code))"
        case .takenOver:
            "another client with the gateway's client id took over: each gateway needs its own"
                + " (uplink.identity.client_id)"
        case .disconnected(let code, let reason):
            "the broker disconnected the gateway: \(ReasonCode(rawValue: code).inWords)\(Self.inWords(reason))"
        case .closedByBroker: "the broker closed the gateway's session"
        case .violation(let error): "the broker broke the protocol: \(error)"
        case .noAnswer(let what): what
        case .lost(let why): why
        case .shutDown: "the bridge is shutting the session down"
        }
    }

    /// Names the configuration key that the broker's refusal may be about.
    private static func hint(_ code: UInt8) -> String {
        switch code {
        case 1, 0x84: " (uplink.identity.version)"
        case 2, 0x85: " (uplink.identity.client_id)"
        case 4, 5, 0x86, 0x87: " (uplink.identity)"
        default: ""
        }
    }

    private static func inWords(_ reason: String?) -> String {
        reason.map { ", \($0.quotedForMessage(limit: 200))" } ?? ""
    }
}

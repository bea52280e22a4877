import MQTTCodec

/// Why a session ended, for the log.
package enum SessionEnd: Sendable, Equatable {
    /// The device sent DISCONNECT.
    case deviceDisconnected
    /// The device's TCP connection ended without DISCONNECT, so the broker publishes the will.
    case deviceVanished
    /// Nothing came from the device for one and a half times its keepalive.
    case keepAliveExpired
    /// No CONNECT came within `limits.connect_within`.
    case noConnectPacket
    /// The device broke the protocol.
    case deviceViolation(MQTTError)
    /// What came was not MQTT, but something that the bridge recognizes.
    case notMQTT(String)
    /// The device broke the operator's rules (routes, identity).
    case notAllowed(String)
    /// The device's user name or password is wrong.
    case badCredentials
    /// The device came again on another connection.
    case takenOver
    /// The device came when a limit was reached.
    case overLimit(String)
    /// The broker's CONNACK refused the device; the code is the packet's own.
    case refusedByBroker(code: UInt8)
    /// The broker sent DISCONNECT with this reason code (5.0).
    case brokerDisconnected(code: UInt8)
    /// The broker ended the stream, or closed the connection with an application code that says so.
    case brokerClosed
    /// The broker reset the device's data stream before anything came on it.
    case dataStreamRefused
    /// The broker sent what a server may not send.
    case brokerViolation(MQTTError)
    /// No uplink leg could be made.
    case uplinkUnreachable(String)
    /// An earlier session with the device's client id did not end in time. Its CONNECT may still be on its way to the
    /// broker, so this one's could not follow.
    case predecessorStays
    /// The uplink leg broke. A device that could have been held otherwise was not because of the obstacle.
    case uplinkLost(String, HoldObstacle? = nil)
    /// The device was held for as long as `uplink.hold_time` allows. The text is what went wrong last.
    case holdExpired(String)
    /// An operator ended the session over the admin endpoint. The broker publishes the will, as for a lost device.
    case removedByOperator
    /// The operator has changed the rules, and the device has to come again under the new ones.
    case rulesChanged(RulesChange)
    /// The bridge is shutting down.
    case shutdown
}

extension SessionEnd: CustomStringConvertible {
    package var description: String {
        switch self {
        case .deviceDisconnected: "the device disconnected"
        case .deviceVanished: "the device closed its connection without DISCONNECT"
        case .keepAliveExpired: "the device sent nothing for 1.5 times its keepalive"
        case .noConnectPacket: "no CONNECT came in time (limits.connect_within)"
        case .deviceViolation(let error): "the device broke the protocol: \(error)"
        case .notMQTT(let what): "the device does not speak MQTT: \(what)"
        case .notAllowed(let what): what
        case .badCredentials: "the user name or the password is wrong"
        case .takenOver: "another connection with the same client id took over"
        case .overLimit(let what): what
        case .refusedByBroker(let code): "the broker refused the device: \(ConnackCode.describe(code))"
        case .brokerDisconnected(let code): "the broker disconnected the device: \(ReasonCode(rawValue: code).inWords)"
        case .brokerClosed: "the broker closed the connection"
        case .dataStreamRefused:
            "the broker reset the device's data stream before it sent anything on it; if it does so with every device, it has "
                + "no data streams: serve has none (use uplink.mapping mux there), and brokers other than EMQX have none "
                + "either (use connection)"
        case .brokerViolation(let error): "the broker broke the protocol: \(error)"
        case .uplinkUnreachable(let why): "the broker could not be reached: \(why)"
        case .predecessorStays: "an earlier session of the client id did not end within uplink.connect_timeout"
        case .uplinkLost(let why, let obstacle):
            "the connection to the broker was lost: \(why)"
                + (obstacle.map { "; the device could not be held, because \($0)" } ?? "")
        case .holdExpired(let why): "the broker did not come back within uplink.hold_time: \(why)"
        case .removedByOperator: "an operator disconnected the device"
        case .rulesChanged(let change): "\(change)"
        case .shutdown: "the bridge is shutting down"
        }
    }
}

// MARK: - What follows

extension SessionEnd {
    /// How much of an operator's attention an end is worth.
    package enum Importance: Sendable {
        /// It happens all the time; refusals over a limit are summed up elsewhere.
        case noise
        case normal
        /// An operator should look at it.
        case fault
    }

    private struct Consequences {
        var importance: Importance
        /// For a device that waits for its CONNACK; `nil` if its connection is just closed.
        var connack: ReasonCode? = .serverUnavailable
        /// For a connected 5.0 device; `nil` if its connection is just closed.
        var disconnect: ReasonCode?
        /// Whether the device caused the end, so that the broker may still have answers to what came before.
        var leavesAnswers = false
        /// Whether the end came from the broker's side.
        var isBrokersSide = false
        /// Whether the device was told that it is not connected, that the bridge stops or that it has to come again, so that
        /// its will is not due.
        var isWithoutWill = false
        /// Whether the broker is told nothing, unless it still owes an answer to a CONNECT.
        var isWithoutGoodbye = false
    }

    /// The table of ends.
    private var consequences: Consequences {
        switch self {
        case .deviceDisconnected: Consequences(importance: .normal, connack: nil, leavesAnswers: true)
        case .deviceVanished: Consequences(importance: .normal, leavesAnswers: true)
        case .deviceViolation(let error):
            Consequences(
                importance: .fault, connack: error.reasonCode, disconnect: error.reasonCode, leavesAnswers: true)
        case .notAllowed:
            Consequences(importance: .fault, connack: .notAuthorized, disconnect: .notAuthorized, leavesAnswers: true)
        case .keepAliveExpired: Consequences(importance: .fault, disconnect: .keepAliveTimeout)
        case .noConnectPacket: Consequences(importance: .normal)
        case .notMQTT: Consequences(importance: .fault)
        case .badCredentials: Consequences(importance: .fault, connack: .badUserNameOrPassword)
        // The broker keeps the session as it is, for the device that has come.
        case .takenOver: Consequences(importance: .normal, disconnect: .sessionTakenOver, isWithoutGoodbye: true)
        case .overLimit: Consequences(importance: .noise, disconnect: .quotaExceeded)
        case .refusedByBroker: Consequences(importance: .fault, isBrokersSide: true)
        case .brokerDisconnected(let code):
            Consequences(
                importance: .normal, connack: ReasonCode(rawValue: code).inConnack,
                disconnect: ReasonCode(rawValue: code), isBrokersSide: true)
        // A broker that closes without CONNACK has given its answer: some brokers do that with a malformed CONNECT
        // [MQTT-3.1.4-1].
        case .brokerClosed: Consequences(importance: .normal, connack: nil, isBrokersSide: true)
        case .dataStreamRefused: Consequences(importance: .fault, connack: nil, isBrokersSide: true)
        case .brokerViolation, .uplinkLost, .holdExpired:
            Consequences(importance: .fault, disconnect: .unspecifiedError, isBrokersSide: true)
        case .uplinkUnreachable, .predecessorStays:
            Consequences(
                importance: .fault, disconnect: .unspecifiedError, isBrokersSide: true, isWithoutWill: true,
                isWithoutGoodbye: true)
        case .removedByOperator: Consequences(importance: .normal, disconnect: .administrativeAction)
        case .rulesChanged:
            Consequences(importance: .normal, disconnect: .administrativeAction, isWithoutWill: true)
        case .shutdown: Consequences(importance: .normal, disconnect: .serverShuttingDown, isWithoutWill: true)
        }
    }

    /// How much of an operator's attention the end is worth.
    package var importance: Importance { consequences.importance }
    var leavesAnswers: Bool { consequences.leavesAnswers }
    var isWithoutWill: Bool { consequences.isWithoutWill }
    var isWithoutGoodbye: Bool { consequences.isWithoutGoodbye }

    /// For a device that waits for its CONNACK. What the broker says to the gateway is never the device's fault.
    func connackCode(throughGateway: Bool) -> ReasonCode? {
        let row = consequences
        return throughGateway && row.isBrokersSide ? .serverUnavailable : row.connack
    }

    /// For a connected 5.0 device. Whatever ends on the broker's side of the gateway is "Server shutting down": of the
    /// codes that DISCONNECT may have (MQTT 5 3.14.2.1, which leaves out 0x88) this one says "not your fault, come
    /// back".
    func disconnectCode(throughGateway: Bool) -> ReasonCode? {
        let row = consequences
        return throughGateway && row.isBrokersSide ? .serverShuttingDown : row.disconnect
    }
}

extension ReasonCode {
    /// The broker's reason in a CONNACK, if MQTT 5 3.2.2.2 allows it there.
    fileprivate var inConnack: ReasonCode {
        switch rawValue {
        case 0x80...0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99...0x9D, 0x9F: self
        default: .serverUnavailable
        }
    }

    /// The code as CONNACK carries it: for 3.x the closest return code of MQTT 3.1.1 3.2.2.3.
    func connackCode(_ version: MQTTVersion) -> UInt8 {
        guard version != .v5_0 else { return rawValue }
        return switch self {
        case .unsupportedProtocolVersion: 1
        case .clientIdentifierNotValid: 2
        case .badUserNameOrPassword: 4
        case .notAuthorized, .banned: 5
        default: 3
        }
    }
}

/// Names the codes of CONNACK, both the return codes of 3.x and the reason codes of 5.0.
package enum ConnackCode {
    /// For example `5, not authorized` or `0x87, not authorized`.
    package static func describe(_ code: UInt8) -> String {
        switch code {
        case 1: "1, unacceptable protocol version"
        case 2: "2, identifier rejected"
        case 3: "3, server unavailable"
        case 4: "4, bad user name or password"
        case 5: "5, not authorized"
        default: ReasonCode(rawValue: code).inWords
        }
    }
}

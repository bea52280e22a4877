import MQTTCodec

/// Why a session ended, for the log.
package enum SessionEnd: Sendable, Equatable {
    /// The device sent DISCONNECT.
    case deviceDisconnected
    /// The device's TCP connection ended without DISCONNECT: the broker publishes the will.
    case deviceVanished
    /// Nothing came from the device for one and a half times its keepalive.
    case keepAliveExpired
    /// No CONNECT within `limits.connect_within`.
    case noConnectPacket
    /// The device broke the protocol.
    case deviceViolation(MQTTError)
    /// What came was no MQTT at all, but something known.
    case notMQTT(String)
    /// The device broke the operator's rules (routes, identity).
    case notAllowed(String)
    /// The device's user name or password is wrong.
    case badCredentials
    /// The device came again, on another connection.
    case takenOver
    /// The device came when a limit was reached.
    case overLimit(String)
    /// The broker's CONNACK said no; the code is the packet's own.
    case refusedByBroker(code: UInt8)
    /// The broker sent DISCONNECT with this reason code (5.0).
    case brokerDisconnected(code: UInt8)
    /// The broker ended the stream, or closed the connection with an application code that says so.
    case brokerClosed
    /// The broker sent what a server may not send.
    case brokerViolation(MQTTError)
    /// No uplink leg could be made.
    case uplinkUnreachable(String)
    /// The uplink leg broke.
    case uplinkLost(String)
    /// The device was held for as long as `uplink.hold_time`; what was wrong last.
    case holdExpired(String)
    /// The bridge is shutting down.
    case shutdown

    /// How much of an operator's attention it is worth.
    package enum Importance: Sendable {
        /// Happens all the time; refusals over a limit are summed up elsewhere.
        case noise
        case normal
        /// Somebody should look at it.
        case fault
    }

    package var importance: Importance {
        switch self {
        case .overLimit: .noise
        case .deviceDisconnected, .deviceVanished, .brokerClosed, .brokerDisconnected, .shutdown, .noConnectPacket,
            .takenOver:
            .normal
        case .keepAliveExpired, .deviceViolation, .notMQTT, .notAllowed, .badCredentials, .refusedByBroker,
            .brokerViolation, .uplinkUnreachable, .uplinkLost, .holdExpired:
            .fault
        }
    }
}

extension SessionEnd: CustomStringConvertible {
    package var description: String {
        switch self {
        case .deviceDisconnected: "the device disconnected"
        case .deviceVanished: "the device closed its connection without DISCONNECT"
        case .keepAliveExpired: "the device was silent for 1.5 times its keepalive"
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
        case .brokerViolation(let error): "the broker broke the protocol: \(error)"
        case .uplinkUnreachable(let why): "the broker could not be reached: \(why)"
        case .uplinkLost(let why): "the connection to the broker was lost: \(why)"
        case .holdExpired(let why): "the broker did not come back within uplink.hold_time: \(why)"
        case .shutdown: "the bridge is shutting down"
        }
    }
}

/// Names of what a CONNACK may say, of both generations.
enum ConnackCode {
    static func describe(_ code: UInt8) -> String {
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

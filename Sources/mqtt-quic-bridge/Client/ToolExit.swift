import ArgumentParser
import MQTTQUICClient

/// The exit codes of `pub` and `sub`. They are those of mosquitto_pub and mosquitto_sub 2.0.
enum ToolExit {
    /// The command line or a file is wrong, or there is no connection to the broker.
    static let usage = ExitCode(1)
    static let noConnection = ExitCode(1)
    /// The broker broke a rule of MQTT.
    static let protocolError = ExitCode(2)
    /// A lost connection.
    static let connectionLost = ExitCode(7)
    /// `-W` has elapsed.
    static let timedOut = ExitCode(27)

    /// The exit code of a program that a signal ended, as a shell shows it.
    static func signal(_ number: Int32) -> ExitCode { ExitCode(128 + number) }

    /// The exit code for an error of the client. A refused CONNECT has the code of the CONNACK: one of MQTT 3.1.1 if that
    /// was spoken.
    static func code(for error: MQTTClientError, _ version: MQTTVersion) -> ExitCode {
        switch error {
        case .refused(let reason, _, _): ExitCode(Int32(returnCode(reason, version)))
        case .nameNotFound, .unreachable, .handshakeTimedOut, .certificateRefused, .clientCertificateRefused,
            .applicationProtocolNotOffered, .handshakeFailed, .invalidTLSFile, .invalidArgument, .timedOut, .cancelled,
            .notConnected, .alreadyConnected:
            noConnection
        case .protocolError: protocolError
        case .connectionLost, .disconnectedByBroker, .sessionTakenOver, .deliveryUnknown, .expired: connectionLost
        case .packetTooLarge: ExitCode(25)
        case .notSupportedByBroker: ExitCode(10)
        case .rejected, .tooManyOutstanding: usage
        }
    }

    /// The code as the broker sent it: MQTT 3.1.1 3.2.2.3 has other numbers than MQTT 5.0.
    private static func returnCode(_ reason: MQTTReasonCode, _ version: MQTTVersion) -> UInt8 {
        guard version == .v3_1_1 else { return reason.rawValue }
        switch reason {
        case .unsupportedProtocolVersion: return 1
        case .clientIdentifierNotValid: return 2
        case .serverUnavailable: return 3
        case .badUserNameOrPassword: return 4
        case .notAuthorized: return 5
        default: return reason.rawValue
        }
    }
}

import MQTTCodec

/// Why a device is closed.
package struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// For the DISCONNECT that goes before the close in 5.0; 3.1 and 3.1.1 have none to send.
    package var reasonCode: ReasonCode
    /// One line. A topic in it is shortened and safe to print.
    package var message: String

    package init(reasonCode: ReasonCode, message: String) {
        self.reasonCode = reasonCode
        self.message = message
    }

    package var description: String { message }
}

/// Why a CONNECT is refused.
package struct ConnectRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// For the CONNACK: a reason code in 5.0, a return code in 3.1 and 3.1.1.
    package var code: UInt8
    /// One line. A topic in it is shortened and safe to print.
    package var message: String

    package init(code: UInt8, message: String) {
        self.code = code
        self.message = message
    }

    init(_ reason: ReasonCode, version: MQTTVersion, message: String) {
        // Of the five return codes of 3.1 and 3.1.1 only "not authorized" is about what a client may do.
        self.init(code: version.hasProperties ? reason.rawValue : 5, message: message)
    }

    package var description: String { message }
}

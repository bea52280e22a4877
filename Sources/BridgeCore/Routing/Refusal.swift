import MQTTCodec

/// Why a device's connection is closed.
package struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The reason code of the DISCONNECT that is sent before the close in 5.0; 3.1 and 3.1.1 have no such packet.
    package var reasonCode: ReasonCode
    /// One line, with any topic in it shortened and safe to print.
    package var message: String

    package init(reasonCode: ReasonCode, message: String) {
        self.reasonCode = reasonCode
        self.message = message
    }

    package var description: String { message }
}

/// Why a CONNECT is refused.
package struct ConnectRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The code of the CONNACK: a reason code in 5.0, a return code in 3.1 and 3.1.1.
    package var code: UInt8
    /// One line, with any topic in it shortened and safe to print.
    package var message: String

    package init(code: UInt8, message: String) {
        self.code = code
        self.message = message
    }

    init(_ reason: ReasonCode, version: MQTTVersion, message: String) {
        // 3.1 and 3.1.1 have five return codes. Only "not authorized" says that a client may not do something.
        self.init(code: version.hasProperties ? reason.rawValue : 5, message: message)
    }

    package var description: String { message }
}

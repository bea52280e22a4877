/// CONNACK (MQTT 5 3.2).
package struct Connack: Sendable, Equatable {
    package var sessionPresent: Bool
    /// A return code in 3.1 and 3.1.1 (0...5), a reason code in 5.0.
    package var code: UInt8
    package var properties: Properties

    package init(sessionPresent: Bool = false, code: UInt8 = 0, properties: Properties = []) {
        self.sessionPresent = sessionPresent
        self.code = code
        self.properties = properties
    }
}

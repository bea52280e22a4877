/// DISCONNECT (MQTT 5 3.14).
package struct Disconnect: Sendable, Equatable {
    /// Always 0 in 3.1 and 3.1.1, which have none.
    package var reasonCode: UInt8
    package var properties: Properties

    package init(reasonCode: UInt8 = 0, properties: Properties = []) {
        self.reasonCode = reasonCode
        self.properties = properties
    }
}

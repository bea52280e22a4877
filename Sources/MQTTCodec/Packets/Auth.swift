/// AUTH (MQTT 5 3.15), which 3.1 and 3.1.1 lack.
package struct Auth: Sendable, Equatable {
    package var reasonCode: UInt8
    package var properties: Properties

    package init(reasonCode: UInt8 = 0, properties: Properties = []) {
        self.reasonCode = reasonCode
        self.properties = properties
    }
}

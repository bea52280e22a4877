/// PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5 3.4 to 3.7): four types of one shape.
package struct PublishAck: Sendable, Equatable {
    /// Not 0.
    package var packetID: UInt16
    /// Always 0 in 3.1 and 3.1.1, which have none.
    package var reasonCode: UInt8
    package var properties: Properties

    package init(packetID: UInt16, reasonCode: UInt8 = 0, properties: Properties = []) {
        self.packetID = packetID
        self.reasonCode = reasonCode
        self.properties = properties
    }
}

/// SUBACK (MQTT 5 3.9).
package struct Suback: Sendable, Equatable {
    /// Not 0.
    package var packetID: UInt16
    package var properties: Properties
    /// One for each filter of the SUBSCRIBE, in its order.
    package var codes: [UInt8]

    package init(packetID: UInt16, properties: Properties = [], codes: [UInt8]) {
        self.packetID = packetID
        self.properties = properties
        self.codes = codes
    }
}

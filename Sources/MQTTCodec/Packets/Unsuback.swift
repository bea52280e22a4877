/// UNSUBACK (MQTT 5 3.11).
package struct Unsuback: Sendable, Equatable {
    /// Not 0.
    package var packetID: UInt16
    package var properties: Properties
    /// One for each filter of the UNSUBSCRIBE, in its order; empty in 3.1 and 3.1.1, which have none.
    package var codes: [UInt8]

    package init(packetID: UInt16, properties: Properties = [], codes: [UInt8] = []) {
        self.packetID = packetID
        self.properties = properties
        self.codes = codes
    }
}

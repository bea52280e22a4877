/// UNSUBSCRIBE (MQTT 5 3.10).
package struct Unsubscribe: Sendable, Equatable {
    /// Not 0.
    package var packetID: UInt16
    package var properties: Properties
    /// At least one.
    package var filters: [String]

    package init(packetID: UInt16, properties: Properties = [], filters: [String]) {
        self.packetID = packetID
        self.properties = properties
        self.filters = filters
    }
}

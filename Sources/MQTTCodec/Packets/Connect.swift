import NIOCore

/// CONNECT (MQTT 5 3.1).
package struct Connect: Sendable, Equatable {
    package var version: MQTTVersion
    /// Clean Session in 3.1 and 3.1.1.
    package var cleanStart: Bool
    /// Seconds; 0 turns it off.
    package var keepAlive: UInt16
    /// May be empty: the broker then refuses it or assigns one ([MQTT-3.1.3-6]).
    package var clientID: String
    package var will: Will?
    package var username: String?
    package var password: ByteBuffer?
    package var properties: Properties
    /// Bit 7 of the protocol level, which mosquitto's bridges set to be treated as a bridge. Not in any specification.
    package var isBridge: Bool

    package init(
        version: MQTTVersion = .v5_0, cleanStart: Bool = true, keepAlive: UInt16 = 0, clientID: String = "",
        will: Will? = nil, username: String? = nil, password: ByteBuffer? = nil, properties: Properties = [],
        isBridge: Bool = false
    ) {
        self.version = version
        self.cleanStart = cleanStart
        self.keepAlive = keepAlive
        self.clientID = clientID
        self.will = will
        self.username = username
        self.password = password
        self.properties = properties
        self.isBridge = isBridge
    }
}

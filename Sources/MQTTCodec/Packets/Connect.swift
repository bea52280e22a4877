import NIOCore

/// CONNECT (MQTT 5 3.1).
package struct Connect: Sendable, Equatable {
    /// From the protocol name and level.
    package var version: MQTTVersion
    /// Called Clean Session in 3.1 and 3.1.1.
    package var cleanStart: Bool
    /// In seconds; 0 turns keep alive off.
    package var keepAlive: UInt16
    /// May be empty: the broker then refuses the client or assigns an identifier ([MQTT-3.1.3-6]).
    package var clientID: String
    /// `nil` if the client has no will.
    package var will: Will?
    /// `nil` if the packet has no user name, which differs from an empty one.
    package var username: String?
    /// May be any bytes; `nil` if the packet has no password.
    package var password: ByteBuffer?
    /// CONNECT's own, not the will's (MQTT 5 3.1.2.11).
    package var properties: Properties
    /// Bit 7 of the protocol level, by which mosquitto's bridges ask to be treated as such. No specification has it.
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

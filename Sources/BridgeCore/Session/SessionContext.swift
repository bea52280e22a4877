import MQTTCodec

/// What a session knows of the world besides its two legs.
package struct SessionContext: Sendable {
    package var routes: RoutingTable
    package var identities: IdentityMapper
    /// Bytes; told to 5.0 devices as Maximum Packet Size.
    package var maximumPacketSize: Int
    package var connectWithin: Duration
    package var connectTimeout: Duration
    /// The value of `${listener}`.
    package var listener: String
    /// The device's IP address, the value of `${peer}`.
    package var peer: String
    /// A client id for a device that has none, where a route needs one. At most 23 characters [MQTT-3.1.3-5].
    package var makeClientID: @Sendable () -> String
    /// Set where a limit was reached when the device came: its CONNECT is answered with a refusal that says so.
    package var overLimit: String?

    package init(
        routes: RoutingTable, identities: IdentityMapper, maximumPacketSize: Int, connectWithin: Duration,
        connectTimeout: Duration, listener: String, peer: String, makeClientID: @escaping @Sendable () -> String,
        overLimit: String? = nil
    ) {
        self.routes = routes
        self.identities = identities
        self.maximumPacketSize = maximumPacketSize
        self.connectWithin = connectWithin
        self.connectTimeout = connectTimeout
        self.listener = listener
        self.peer = peer
        self.makeClientID = makeClientID
        self.overLimit = overLimit
    }
}

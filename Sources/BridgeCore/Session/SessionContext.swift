import MQTTCodec

/// What a session knows of the world besides its two legs.
///
/// Most of it is the same for all devices of a listener and held once for all of them.
package struct SessionContext: Sendable {
    private final class Shared: Sendable {
        let routes: RoutingTable
        let identities: IdentityMapper
        let maximumPacketSize: Int
        let connectWithin: Duration
        let connectTimeout: Duration
        let listener: String
        let makeClientID: @Sendable () -> String
        let hold: HoldPolicy?

        init(
            _ routes: RoutingTable, _ identities: IdentityMapper, _ maximumPacketSize: Int, _ connectWithin: Duration,
            _ connectTimeout: Duration, _ listener: String, _ makeClientID: @escaping @Sendable () -> String,
            _ hold: HoldPolicy?
        ) {
            self.routes = routes
            self.identities = identities
            self.maximumPacketSize = maximumPacketSize
            self.connectWithin = connectWithin
            self.connectTimeout = connectTimeout
            self.listener = listener
            self.makeClientID = makeClientID
            self.hold = hold
        }
    }

    private let shared: Shared
    /// The device's IP address, the value of `${peer}`.
    package var peer: String
    /// Set where a limit was reached when the device came: its CONNECT is answered with a refusal that says so.
    package var overLimit: String?

    /// - Parameters:
    ///   - maximumPacketSize: Bytes; told to 5.0 devices as Maximum Packet Size where it is lower than the broker's.
    ///   - listener: The value of `${listener}`.
    ///   - makeClientID: A client id for a device that has none, where a route needs one. At most 23 characters
    ///     [MQTT-3.1.3-5].
    ///   - hold: `nil`: a device whose uplink is lost is closed.
    package init(
        routes: RoutingTable, identities: IdentityMapper, maximumPacketSize: Int, connectWithin: Duration,
        connectTimeout: Duration, listener: String, peer: String = "", makeClientID: @escaping @Sendable () -> String,
        hold: HoldPolicy? = nil, overLimit: String? = nil
    ) {
        self.shared = Shared(
            routes, identities, maximumPacketSize, connectWithin, connectTimeout, listener, makeClientID, hold)
        self.peer = peer
        self.overLimit = overLimit
    }

    package var routes: RoutingTable { shared.routes }
    package var identities: IdentityMapper { shared.identities }
    package var maximumPacketSize: Int { shared.maximumPacketSize }
    /// As Maximum Packet Size; `nil` where the limit is none.
    var toldPacketSize: UInt32? { PacketSizeLimit.told(shared.maximumPacketSize) }
    package var connectWithin: Duration { shared.connectWithin }
    package var connectTimeout: Duration { shared.connectTimeout }
    package var listener: String { shared.listener }
    package var makeClientID: @Sendable () -> String { shared.makeClientID }
    package var hold: HoldPolicy? { shared.hold }
    /// The operator has rules about topics or identities: what they need to know of a packet has to be read.
    var hasRules: Bool { !routes.isEmpty || !identities.isEmpty }

    /// What templates and routes may name of a device.
    func variables(of connect: Connect) -> RouteVariables {
        RouteVariables(
            clientID: connect.clientID, username: connect.username ?? "", listener: listener, peer: peer)
    }
}

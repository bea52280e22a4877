import MQTTCodec

/// What a session knows about the world besides its two legs.
///
/// Most of it is the same for all devices of a listener, and kept once for all of them.
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
        let idleTimeout: Duration

        init(
            _ routes: RoutingTable, _ identities: IdentityMapper, _ maximumPacketSize: Int, _ connectWithin: Duration,
            _ connectTimeout: Duration, _ listener: String, _ makeClientID: @escaping @Sendable () -> String,
            _ hold: HoldPolicy?, _ idleTimeout: Duration
        ) {
            self.routes = routes
            self.identities = identities
            self.maximumPacketSize = maximumPacketSize
            self.connectWithin = connectWithin
            self.connectTimeout = connectTimeout
            self.listener = listener
            self.makeClientID = makeClientID
            self.hold = hold
            self.idleTimeout = idleTimeout
        }
    }

    private let shared: Shared
    /// The device's IP address, the value of `${peer}`.
    package var peer: String
    /// Set if a limit was reached when the device came. Its CONNECT is answered with a refusal that says so.
    package var overLimit: String?

    /// - Parameters:
    ///   - maximumPacketSize: Bytes. 5.0 devices are told it as Maximum Packet Size if it is lower than the broker's.
    ///   - listener: The value of `${listener}`.
    ///   - makeClientID: Makes a client id for a device that has none, if a route or a template needs one. At most 23
    ///     characters [MQTT-3.1.3-5].
    ///   - hold: `nil` if a device is disconnected when its uplink leg is lost.
    ///   - idleTimeout: How long the broker waits for a device without a keepalive.
    package init(
        routes: RoutingTable, identities: IdentityMapper, maximumPacketSize: Int, connectWithin: Duration,
        connectTimeout: Duration, listener: String, peer: String = "", makeClientID: @escaping @Sendable () -> String,
        hold: HoldPolicy? = nil, idleTimeout: Duration = .seconds(60), overLimit: String? = nil
    ) {
        self.shared = Shared(
            routes, identities, maximumPacketSize, connectWithin, connectTimeout, listener, makeClientID, hold,
            idleTimeout)
        self.peer = peer
        self.overLimit = overLimit
    }

    /// The routes of all devices, before the values of one device are filled in.
    package var routes: RoutingTable { shared.routes }
    /// What decides which identity the broker sees.
    package var identities: IdentityMapper { shared.identities }
    /// The longest packet that is accepted from a device, in bytes.
    package var maximumPacketSize: Int { shared.maximumPacketSize }
    /// The limit as Maximum Packet Size; `nil` if there is none.
    var toldPacketSize: UInt32? { PacketSizeLimit.told(shared.maximumPacketSize) }
    /// How long a device may take to send CONNECT.
    package var connectWithin: Duration { shared.connectWithin }
    /// How long the broker may take to answer CONNECT.
    package var connectTimeout: Duration { shared.connectTimeout }
    /// The value of `${listener}`.
    package var listener: String { shared.listener }
    /// Makes a client id for a device that has none, of at most 23 characters [MQTT-3.1.3-5].
    package var makeClientID: @Sendable () -> String { shared.makeClientID }
    /// `nil` if a device is disconnected when its uplink leg is lost.
    package var hold: HoldPolicy? { shared.hold }
    /// How long the broker waits for a device without a keepalive before it takes the connection for lost.
    var idleTimeout: Duration { shared.idleTimeout }
    /// Whether the operator has rules about topics or identities, so that what they need has to be read from packets.
    var hasRules: Bool { !routes.isEmpty || !identities.isEmpty }

    /// The CONNECT with which the device appears at the broker, before its will is routed.
    ///
    /// - Returns: That CONNECT, whether the operator's identities changed anything in it, and the client id if the
    ///   bridge had to choose one.
    /// - Throws: Why the device is not let in.
    func identified(
        _ original: Connect
    ) throws(BundleRule.Refusal) -> (connect: Connect, isMapped: Bool, assignedClientID: String?) {
        var connect = original
        var variables = variables(of: original)
        // Devices without a client id must not all become the same one. What they sent still decides which identity is
        // theirs.
        let isNamedFirst = original.clientID.isEmpty && identities.usesClientID(of: original)
        if isNamedFirst { variables.clientID = makeClientID() }
        let isMapped = try identities.apply(to: &connect, variables: variables)
        if isMapped, connect.lacksUserNameForPassword { throw .passwordWithoutUserName(connect.version) }
        if connect.clientID.isEmpty, isNamedFirst || routes.uses(.clientID) {
            connect.clientID = isNamedFirst ? variables.clientID : makeClientID()
            return (connect, isMapped, connect.clientID)
        }
        return (connect, isMapped, isNamedFirst ? connect.clientID : nil)
    }

    /// The routes of the device that appears at the broker with this CONNECT. Throws if a value of the device does not
    /// fit into a topic.
    func resolvedRoutes(for connect: Connect) throws(RouteError) -> ResolvedRoutes {
        try routes.resolved(with: variables(of: connect))
    }

    /// What templates and routes may name of a device.
    private func variables(of connect: Connect) -> RouteVariables {
        RouteVariables(
            clientID: connect.clientID, username: connect.username ?? "", listener: listener, peer: peer)
    }
}

extension Connect {
    /// Whether there is a password that this version cannot express, because there is no user name [MQTT-3.1.2-22].
    fileprivate var lacksUserNameForPassword: Bool {
        password != nil && username == nil && !version.hasProperties
    }
}

extension BundleRule.Refusal {
    fileprivate static func passwordWithoutUserName(_ version: MQTTVersion) -> Self {
        Self(
            message: "the device has no user name, and \(version) has no password without one: write a username"
                + " beside the password in auth",
            code: .notAuthorized)
    }
}

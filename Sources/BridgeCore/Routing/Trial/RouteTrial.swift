import MQTTCodec

/// Tells what the bridge would do with a device, and with what that device publishes and subscribes to, without any
/// connection. It asks the code that `run` itself uses: the session's for the identity, and `PacketRouter` for packets.
package struct RouteTrial: Sendable {
    /// The device as it would connect.
    package struct Device: Sendable, Equatable {
        /// Empty if the device sends none.
        package var clientID: String
        /// `nil` if the device sends none.
        package var username: String?
        /// The name of the listener to which it connects.
        package var listener: String
        /// The IP address from which it connects.
        package var peer: String

        package init(clientID: String, username: String?, listener: String, peer: String) {
            self.clientID = clientID
            self.username = username
            self.listener = listener
            self.peer = peer
        }
    }

    /// The identity that the broker sees.
    package struct Identity: Sendable, Equatable, Encodable {
        /// Empty if the broker has to choose one.
        package var clientID: String
        /// The user name; `nil` if the broker sees none.
        package var username: String?
        /// Where the identity comes from.
        package var source: IdentityMapper.Source
        /// The client id that the bridge made for a device without one; it is another one at each connect.
        package var assignedClientID: String?
    }

    /// Why the device would not be let in.
    package struct Refused: Error, Sendable, Equatable, CustomStringConvertible {
        package var description: String
    }

    /// A route with the values of the device filled in.
    package struct Row: Sendable, Equatable, Encodable {
        /// Counted from 0.
        package var route: Int
        /// The topic or filter that the device uses.
        package var local: String
        /// The topic or filter that the broker sees.
        package var remote: String
        /// The direction as the configuration has it: `up`, `down` or `both`.
        package var direction: String
        /// The highest QoS with which a message passes by the route.
        package var qosLimit: Int
        /// Whether messages lose their RETAIN flag.
        package var stripsRetain: Bool
    }

    /// The identity that the device would have at the broker.
    package let identity: Identity
    let routes: ResolvedRoutes
    /// Whether the broker judges packets, and not the bridge.
    let isLenient: Bool

    /// - Parameters:
    ///   - bundles: Those of the mode `bundles`.
    ///   - makeClientID: Makes a client id for a device that needs one and has none.
    /// - Throws: ``Refused`` if the device would not be let in; other errors if the configuration is not valid.
    package init(
        _ configuration: BridgeConfiguration, _ device: Device, bundles: LiveBundles? = nil,
        makeClientID: @escaping @Sendable () -> String
    ) throws {
        let context = SessionContext(
            routes: try RoutingTable(
                routes: configuration.routes, unrouted: configuration.unrouted, platform: configuration.platform),
            identities: try IdentityMapper(configuration.auth, bundles: bundles),
            maximumPacketSize: configuration.limits.packetSize, connectWithin: configuration.limits.connectWithin,
            connectTimeout: configuration.uplink.sessionTimeout, listener: device.listener, peer: device.peer,
            makeClientID: makeClientID)
        let gateway = configuration.uplink.mapping == .dataStream ? configuration.uplink.identity : nil
        let connect: Connect
        if let gateway {
            (identity, connect) = try Self.served(device, by: gateway, context, configuration.auth)
        } else {
            (identity, connect) = try Self.mapped(device, context)
        }
        isLenient = gateway == nil
        do {
            routes = try context.resolvedRoutes(for: connect)
        } catch {
            throw Refused(description: "\(error)")
        }
    }

    /// The routes in their order.
    package var table: [Row] {
        routes.routes.enumerated().map { index, route in
            Row(
                route: index, local: route.local.text, remote: route.remote.text, direction: route.direction.rawValue,
                qosLimit: Int(route.qosCap.rawValue), stripsRetain: route.stripsRetain)
        }
    }

    private static func mapped(
        _ device: Device, _ context: SessionContext
    ) throws(Refused) -> (Identity, Connect) {
        let original = Connect(version: .v3_1_1, clientID: device.clientID, username: device.username)
        let (connect, assigned): (Connect, String?)
        do {
            (connect, _, assigned) = try context.identified(original)
        } catch {
            throw Refused(description: error.message)
        }
        let identity = Identity(
            clientID: connect.clientID, username: connect.username, source: context.identities.source(for: original),
            assignedClientID: assigned)
        return (identity, connect)
    }

    private static func served(
        _ device: Device, by gateway: GatewayIdentity, _ context: SessionContext, _ auth: AuthConfiguration
    ) throws(Refused) -> (Identity, Connect) {
        let version: MQTTVersion = gateway.version == .v5_0 ? .v5_0 : .v3_1_1
        var connect = Connect(version: version, clientID: device.clientID, username: device.username)
        let gateways = DataStreamContext(
            device: context, versions: gateway.version, allowsAnonymous: auth.allowsAnonymous)
        if case .notAllowed(let why)? = gateways.refusal(of: connect)?.why { throw Refused(description: why) }
        let assigned = gateways.assignClientID(to: &connect)
        let identity = Identity(
            clientID: "\(gateway.clientID)-1", username: gateway.username, source: .gateway,
            assignedClientID: assigned)
        return (identity, connect)
    }
}

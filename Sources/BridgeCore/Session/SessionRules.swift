import MQTTCodec

/// The operator's rules about devices: which identity the broker sees, and which topics.
package struct SessionRules: Sendable {
    /// How topics are rewritten in both directions.
    package let routes: RoutingTable
    /// Which identity the broker sees.
    package let identities: IdentityMapper

    package init(routes: RoutingTable, identities: IdentityMapper) {
        self.routes = routes
        self.identities = identities
    }

    /// Throws what is wrong with the routes or with a template.
    ///
    /// - Parameter bundles: Those of the mode `bundles`.
    package init(_ configuration: BridgeConfiguration, bundles: LiveBundles? = nil) throws {
        self.init(
            routes: try RoutingTable(
                routes: configuration.routes, unrouted: configuration.unrouted, platform: configuration.platform),
            identities: try IdentityMapper(configuration.auth, bundles: bundles))
    }

    /// The same rules, with the uses of the routes counted for one event loop.
    package func counted(after previous: SessionRules? = nil) -> SessionRules {
        SessionRules(routes: routes.counted(after: previous?.routes), identities: identities)
    }

    /// Whether there are no rules, so that nothing has to be read from packets for their sake.
    var isEmpty: Bool { routes.isEmpty && identities.isEmpty }
}

/// What new rules change for a device that is there already.
package enum RulesChange: Sendable, Equatable, CustomStringConvertible {
    /// The broker would see another client id, user name or password.
    case identity
    /// Other topics would be mapped, or to other ones.
    case topics

    package var description: String {
        switch self {
        case .identity: "the configuration has changed, and with it the device's identity at the broker (auth)"
        case .topics: "the configuration has changed, and with it the topics of the device (routes)"
        }
    }
}

extension SessionContext {
    /// The same with other rules, for a device that has not been let in under the present ones.
    func with(_ rules: SessionRules) -> SessionContext {
        SessionContext(
            routes: rules.routes, identities: rules.identities, maximumPacketSize: maximumPacketSize,
            connectWithin: connectWithin, connectTimeout: connectTimeout, listener: listener, peer: peer,
            makeClientID: makeClientID, hold: hold, idleTimeout: idleTimeout, overLimit: overLimit)
    }

    /// What the rules would change for a device that was let in under the present ones; `nil` if nothing.
    ///
    /// - Parameters:
    ///   - identity: The identity that the broker sees, and the device's own if that is another one.
    ///   - resolved: The device's routes under the present rules.
    func change(under rules: SessionRules, of identity: SessionIdentity, _ resolved: ResolvedRoutes) -> RulesChange? {
        if !identities.isEmpty || !rules.identities.isEmpty {
            let own = identity.own ?? OwnIdentity(clientID: identity.clientID, username: identity.username)
            let variables = variables(own.clientID, own.username)
            let credentials = identity.bringsCredentials
            let before = identities.appearance(of: own, bringsCredentials: credentials, variables)
            let after = rules.identities.appearance(of: own, bringsCredentials: credentials, variables)
            guard before == after else { return .identity }
        }
        let variables = variables(identity.clientID, identity.username)
        // Routes that this device can't have are other routes.
        return (try? rules.routes.resolved(with: variables)) == resolved ? nil : .topics
    }

    private func variables(_ clientID: String, _ username: String?) -> RouteVariables {
        RouteVariables(clientID: clientID, username: username ?? "", listener: listener, peer: peer)
    }
}

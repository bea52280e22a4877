/// Decides between `uplink.endpoints` and `uplink.host`, which both say where the broker is.
///
/// Giving both in one place is an error. Otherwise the one from the higher layer wins, as with single values, and the
/// other is removed.
struct EndpointPrecedence {
    let diagnostics: Diagnostics

    /// The keys that belong to `uplink.host`; each item of `uplink.endpoints` has its own.
    private static let details: [Key] = [.uplinkPort, .uplinkServerName]

    func apply(to settings: inout Settings) {
        guard let layer = settings.layer(of: .uplinkEndpoints) else { return }
        if let host = settings.layer(of: .uplinkHost) {
            if host > layer { return overrule(.uplinkEndpoints, by: .uplinkHost, in: &settings) }
            guard host < layer else { return refuse(in: &settings) }
            overrule(.uplinkHost, by: .uplinkEndpoints, in: &settings)
        }
        for key in Self.details { settle(key, layer, in: &settings) }
    }

    /// Handles a port or a server name that is given beside `uplink.endpoints`, without a host.
    private func settle(_ key: Key, _ layer: Setting.Layer, in settings: inout Settings) {
        guard let origin = settings.origin(of: key), let own = settings.layer(of: key) else { return }
        if own == layer {
            let advice = "each of uplink.endpoints has a \(key.name) of its own; write it there"
            diagnostics.error(origin, key.rawValue, advice)
        } else if own > layer {
            let advice = "overrides nothing, as each of uplink.endpoints has its own"
            diagnostics.warning(origin, key.rawValue, "\(advice); only \(Key.uplinkHost.variable) overrides them")
        } else if key == .uplinkServerName {
            overrule(key, by: .uplinkEndpoints, in: &settings)
        }
        settings.remove(key)
    }

    private func refuse(in settings: inout Settings) {
        if let origin = settings.origin(of: .uplinkEndpoints) {
            let message = "uplink.host is given too; keep host, port and server_name for one endpoint"
            diagnostics.error(origin, Key.uplinkEndpoints.rawValue, "\(message), or endpoints for several")
        }
        for key in [.uplinkHost] + Self.details { settings.remove(key) }
    }

    private func overrule(_ key: Key, by winner: Key, in settings: inout Settings) {
        guard let origin = settings.origin(of: winner), let loser = settings.origin(of: key) else { return }
        diagnostics.warning(origin, winner.rawValue, "\(key.rawValue) (\(loser)) is not used, as this overrides it")
        settings.remove(key)
    }
}

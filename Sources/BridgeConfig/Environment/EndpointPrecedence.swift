/// Which of `uplink.endpoints` and `uplink.host` counts, as they are two ways to say where the broker is.
///
/// Both in one place are an error; else the one from the higher layer counts, as with single values, and the other is
/// taken away.
struct EndpointPrecedence {
    let diagnostics: Diagnostics

    /// What belongs to `uplink.host`, and each endpoint has for itself.
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

    /// A port or a name without a host, beside endpoints.
    private func settle(_ key: Key, _ layer: Setting.Layer, in settings: inout Settings) {
        guard let origin = settings.origin(of: key), let own = settings.layer(of: key) else { return }
        if own == layer {
            let advice = "with uplink.endpoints each of them has a \(key.name) of its own; write it there"
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
            let message = "uplink.host is given too; keep host, port and server_name for one place where the broker is"
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

import BridgeCore

/// Reads the key `profile`, and checks what the rest of the configuration means to that platform.
extension ConfigurationReader {
    func platform() -> Platform? { choice(.profile) }

    /// The routes that come with the profile; empty without one.
    func profileRoutes() -> [PlacedRoute] {
        guard let profile = ProfileDefaults(settings) else { return [] }
        return TESAIoT.routes.enumerated().map { index, route in
            PlacedRoute(route: route, index: index, local: profile.origin, remote: profile.origin)
        }
    }

    /// Reports what cannot work with the platform, and warns of what its broker ignores.
    func checkPlatform(
        _ platform: Platform?, _ uplink: UplinkConfiguration, _ auth: AuthConfiguration, _ routes: [PlacedRoute]
    ) {
        guard let platform else { return }
        if uplink.mapping == .dataStream {
            let reason = "its broker lets a client use only the topics of the client's own id, and with data-stream"
            error(
                .uplinkMapping,
                "cannot be used with profile \(platform.rawValue): \(reason) it sees the gateway's; write auto")
        }
        for audit in PlatformAudit.findings(routes.map(\.route), deviceIDs: Self.commonIDs(auth)) {
            guard routes.indices.contains(audit.index) else { continue }
            let placed = routes[audit.index]
            let key = "routes[\(placed.index)].remote"
            if audit.finding.isRefused, !audit.isPartial {
                diagnostics.error(placed.remote, key, audit.finding.explanation)
            } else {
                diagnostics.warning(placed.remote, key, Self.message(audit))
            }
        }
    }

    /// The user name and the client id of all devices at the broker; `nil` if devices differ in one of them.
    private static func commonIDs(_ auth: AuthConfiguration) -> [String]? {
        guard auth.mode == .inject, auth.overrides.isEmpty, let username = auth.identity.username,
            let clientID = auth.identity.clientID, !username.contains("${"), !clientID.contains("${")
        else { return nil }
        return [username, clientID]
    }

    private static func message(_ audit: PlatformAudit) -> String {
        guard audit.isPartial else { return audit.finding.explanation }
        let (verb, things) = audit.finding == .deniedFilter ? ("subscribe", "subscriptions") : ("publish", "messages")
        return "only the device of that id may \(verb) there, and \(things) of others are kept back;"
            + " write ${username}, which is the device id there"
    }

    /// Warns of limits that are wider than the platform's.
    func warnOfPlatform(_ configuration: BridgeConfiguration) {
        guard configuration.platform != nil else { return }
        if configuration.limits.packetSize > TESAIoT.packetSize {
            let limit = SizeValue.render(TESAIoT.packetSize)
            warning(.limitsPacketSize, "the platform accepts \(limit), and disconnects a device that sends more")
        }
        if configuration.uplink.onLoss == .hold, configuration.uplink.hold.time > TESAIoT.sessionExpiry {
            let expiry = DurationValue.render(TESAIoT.sessionExpiry)
            warning(
                .uplinkHoldTime,
                "the platform forgets a session after \(expiry); a device that is held for longer has lost its"
                    + " subscriptions and what waited for it")
        }
        if configuration.unrouted == .pass, !configuration.routes.isEmpty {
            let advice = "its broker disconnects a device that publishes outside device/<its id>/"
            warning(.unrouted, "pass lets devices publish to every topic, but \(advice); write reject or drop")
        }
    }
}

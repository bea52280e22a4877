import BridgeCore
import Logging
import QUICTransport

/// Everything that follows from one configuration of `run`. It is made as a whole before any of it is used, and never
/// changes; a reload puts another one in its place.
///
/// What has not changed is the same object as in the previous generation, so that it goes on as it is.
final class Generation: Sendable {
    let configuration: BridgeConfiguration
    let uplink: UplinkSettings
    let rules: SessionRules
    /// The users that the bridge itself authenticates; only the mapping `data-stream` has them.
    let users: LocalUsers?
    /// The bundles of devices; only the mode `bundles` has them.
    let bundles: DeviceBundles?
    /// `nil` if devices are disconnected when their uplink is lost.
    let hold: HoldPolicy?
    let files: FileDigests

    /// The first generation. Reads the files that the configuration names, and throws what makes it unusable.
    ///
    /// - Parameter open: Reads bundles; `nil` if the mode `bundles` is not available.
    convenience init(
        first configuration: BridgeConfiguration, budget: HoldBudget, probing: WayChoice.Probing,
        bundles open: BundleOpener?, logger: Logger
    ) throws {
        try self.init(
            configuration, nil, files: FileDigests(configuration), budget: budget, probing: probing, bundles: open,
            logger: logger)
    }

    /// The generation that follows on this one.
    ///
    /// - Parameter files: The files that `configuration` names, as they were when it was compared with the present one.
    func next(
        _ configuration: BridgeConfiguration, files: FileDigests, budget: HoldBudget, probing: WayChoice.Probing,
        bundles open: BundleOpener?, logger: Logger
    ) throws -> Generation {
        try Generation(
            configuration, self, files: files, budget: budget, probing: probing, bundles: open, logger: logger)
    }

    private init(
        _ configuration: BridgeConfiguration, _ previous: Generation?, files: FileDigests, budget: HoldBudget,
        probing: WayChoice.Probing, bundles open: BundleOpener?, logger: Logger
    ) throws {
        self.configuration = configuration
        self.files = files
        let changed = previous.map { files.changes(since: $0.files) } ?? []
        let old = previous?.configuration
        if let previous, let old, configuration.makesTheSameConnections(as: old),
            changed.isDisjoint(with: FileDigests.uplinkKeys)
        {
            uplink = previous.uplink
        } else {
            uplink = try UplinkSettings(configuration, after: previous?.uplink, probing: probing, logger: logger)
        }
        let bundles = try DeviceBundles.of(configuration, after: previous?.bundles, open)
        self.bundles = bundles
        if let previous, configuration.routes == old?.routes, configuration.unrouted == old?.unrouted,
            configuration.platform == old?.platform, configuration.auth == old?.auth, bundles === previous.bundles
        {
            rules = previous.rules
        } else {
            rules = try SessionRules(configuration, bundles: bundles?.live)
        }
        let hasSameUsers =
            old?.auth.usersFile == configuration.auth.usersFile && !changed.contains(FileDigests.usersKey)
        users = hasSameUsers ? previous?.users : try configuration.auth.usersFile.map { try LocalUsers(path: $0) }
        if let previous, configuration.uplink.onLoss == old?.uplink.onLoss,
            configuration.uplink.hold == old?.uplink.hold
        {
            hold = previous.hold
        } else {
            hold = configuration.uplink.onLoss == .hold ? HoldPolicy(configuration.uplink.hold, budget: budget) : nil
        }
    }
}

import BridgeCore

/// The bundles of the mode `bundles`, from a folder that is looked at again and again.
final class DeviceBundles: Sendable {
    let live: LiveBundles
    private let folder: String
    private let hosts: Set<String>
    private let catalog: any BundleCatalog

    /// Reads the folder. Throws ``UnreadableBundles``.
    ///
    /// - Parameters:
    ///   - previous: The bundles in force, which are used on if the configuration still means them.
    ///   - open: `nil` if this program has no way to read bundles.
    /// - Returns: `nil` if the mode is another one.
    static func of(
        _ configuration: BridgeConfiguration, after previous: DeviceBundles?, _ open: BundleOpener?
    ) throws -> DeviceBundles? {
        guard configuration.auth.mode == .bundles, let folder = configuration.auth.bundlesFolder else { return nil }
        let hosts = Set(configuration.uplink.endpoints.map { $0.host.lowercased() })
        if let previous, previous.folder == folder, previous.hosts == hosts { return previous }
        if let previous, previous.folder == folder {
            return try DeviceBundles(folder, hosts, previous.catalog.following(hosts: hosts))
        }
        guard let open else { throw UnreadableBundles(folder: folder, message: "nothing here can read bundles") }
        return try DeviceBundles(folder, hosts, open(folder, hosts))
    }

    private init(_ folder: String, _ hosts: Set<String>, _ catalog: any BundleCatalog) throws {
        self.folder = folder
        self.hosts = hosts
        self.catalog = catalog
        live = LiveBundles(try catalog.look() ?? BundleBook())
    }

    /// Looks at the folder, and puts what is new in force for devices that connect from now on. Waits for the disk.
    ///
    /// - Returns: The bundles that were in force and those that are; `nil` if nothing has changed.
    func look() throws -> (before: BundleBook, now: BundleBook)? {
        guard let now = try catalog.look() else { return nil }
        let before = live.current
        live.adopt(now)
        return (before, now)
    }
}

import BridgeCore

/// Reads the keys of the mode `bundles`.
extension ConfigurationReader {
    private static let maximumMappings = 10_000
    /// The keys of an item of `auth.bundle_map`.
    static let bundleMapKeys = ["client_id", "device_id"]

    /// Checks only that the folder can be listed. The runtime reads the bundles, also when they change.
    func bundlesFolder() -> String? {
        guard let path = path(.authBundles) else { return nil }
        if let problem = FolderAccess.problemWithListing(path) { error(.authBundles, "\(path): \(problem)") }
        return path
    }

    func bundleMap() -> [AuthConfiguration.BundleMapping] {
        guard let node = settings.nodes[.authBundleMap] else { return [] }
        guard case .list(let items) = node.content else {
            error(.authBundleMap, "expected a list, found \(node.kind); each item begins with a dash")
            return []
        }
        if items.count > Self.maximumMappings {
            error(.authBundleMap, "more than \(Self.maximumMappings) items")
            return []
        }
        // The program compares ids byte for byte, and not as Swift does, by what they look like.
        var clientIDs: Set<[UInt8]> = []
        var deviceIDs: Set<[UInt8]> = []
        return items.enumerated().compactMap { index, node in
            let path = "auth.bundle_map[\(index)]"
            guard let item = mapping(node, path) else { return nil }
            if !clientIDs.insert(Array(item.clientID.utf8)).inserted {
                diagnostics.error(node.origin, path, "a previous item has the same client_id")
            }
            if !deviceIDs.insert(Array(item.deviceID.utf8)).inserted {
                let effect = "the broker ends the older session when the second of them connects"
                diagnostics.warning(node.origin, path, "a previous item has the same device_id: \(effect)")
            }
            return item
        }
    }

    private func mapping(_ node: YAMLNode, _ path: String) -> AuthConfiguration.BundleMapping? {
        guard let entries = entries(of: node, path, known: Self.bundleMapKeys) else { return nil }
        let texts = Self.bundleMapKeys.map { key -> String? in
            guard let value = entries[key] else {
                diagnostics.error(node.origin, path, "\(key) is missing, such as {client_id: pump-7, device_id: ...}")
                return nil
            }
            return scalar(value, "\(path).\(key)").flatMap { values.text($0, "\(path).\(key)") }
        }
        guard let clientID = texts[0], let deviceID = texts[1] else { return nil }
        return AuthConfiguration.BundleMapping(clientID: clientID, deviceID: deviceID)
    }
}

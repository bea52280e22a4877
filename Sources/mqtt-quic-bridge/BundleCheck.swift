import Bridge
import BridgeConfig
import BridgeCore

/// What `check` says about the bundles of the mode `bundles`.
enum BundleCheck {
    /// Problems of one kind that are shown one by one, at most.
    private static let mostLines = 100

    /// Reads all bundles. Throws ``UnreadableBundles``.
    ///
    /// - Returns: `nil` if the mode is another one.
    static func result(of configuration: BridgeConfiguration) throws -> CheckResult? {
        guard configuration.auth.mode == .bundles, let folder = configuration.auth.bundlesFolder else { return nil }
        let hosts = Set(configuration.uplink.endpoints.map { $0.host.lowercased() })
        let catalog = BundleFolderCatalog(folder, hosts: hosts)
        let book = try catalog.look() ?? BundleBook()
        let expiry = BridgeService.warnings(aboutAuthorities: catalog.authorities, key: "auth.bundles")
        return CheckResult(
            warnings: warnings(book) + unmapped(configuration.auth, book) + expiry.prefix(mostLines),
            notes: [summary(folder, book)])
    }

    private static func warnings(_ book: BundleBook) -> [String] {
        BundleBook.Problem.Kind.allCases.flatMap { kind -> [String] in
            let all = book.problems.filter { $0.kind == kind }
            let shown = all.prefix(mostLines).map { "auth.bundles: \($0)" }
            let rest = all.count - shown.count
            return rest > 0 ? shown + ["auth.bundles: \(rest) more like the previous one"] : shown
        }
    }

    /// Items of `auth.bundle_map` that name a device without a bundle.
    private static func unmapped(_ auth: AuthConfiguration, _ book: BundleBook) -> [String] {
        auth.bundleMap.filter { book[$0.deviceID] == nil }.prefix(mostLines).map {
            "auth.bundle_map: \($0.clientID.quotedForMessage()): there is no bundle of the device "
                + "\($0.deviceID.quotedForMessage()), so this client is refused"
        }
    }

    private static func summary(_ folder: String, _ book: BundleBook) -> String {
        let devices = book.count == 1 ? "1 device has a bundle" : "\(book.count) devices have a bundle"
        let usable = "\(book.usableCount) with a password"
        let counts = BundleBook.Problem.Kind.allCases.compactMap { kind -> String? in
            let count = book.problems.count { $0.kind == kind }
            return count == 0 ? nil : "\(words(kind)): \(count)"
        }
        return "auth.bundles: \(folder): \(devices), \(usable)"
            + (counts.isEmpty ? "" : "; \(counts.joined(separator: ", "))")
    }

    private static func words(_ kind: BundleBook.Problem.Kind) -> String {
        switch kind {
        case .damaged: "damaged"
        case .withoutPassword: "without a password"
        case .contradiction: "contradictions"
        case .duplicate: "for the same device as another"
        case .otherBroker: "for another broker"
        case .exposed: "readable by other users"
        case .leftOut: "left out"
        }
    }
}

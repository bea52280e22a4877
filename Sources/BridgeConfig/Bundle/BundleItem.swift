import BridgeCore

/// What a catalog keeps of a bundle.
struct BundleItem {
    /// The state of the files when they were read; `nil` before that.
    var stamp: BundleStamp?
    /// The state of the files at the previous look, if they have not been read in it.
    var pending: BundleStamp?
    /// The device that the bundle is for; `nil` if that is unknown.
    var deviceID: String?
    var entry: BundleBook.Entry?
    var problems: [BundleBook.Problem] = []
    /// A digest of the CA certificates; `nil` if there are none that can be read.
    var authorities: Int?

    /// - Parameters:
    ///   - folder: The folder that the bundle has to be in.
    ///   - hosts: The configured brokers.
    ///   - previous: What there was of the bundle. It stays in use if the files are damaged now.
    ///   - sound: The CA certificates of another bundle that were found sound. Usually all bundles have the same ones.
    static func read(
        _ path: String, in folder: String, hosts: Set<String>, after previous: BundleItem?, sound: inout [UInt8]
    ) -> BundleItem {
        do {
            var contents = try BundleFolder.contents(path, in: folder)
            guard contents.isBundle else {
                return BundleItem(problems: [.init(.leftOut, "\(path): has none of the files of a TESAIoT bundle")])
            }
            let authorities = contents.files[.authorities]
            contents.hasSoundAuthorities = authorities == sound
            var item = BundleItem(try BundleReader.read(contents), path, hosts)
            if let authorities, !contents.hasSoundAuthorities { sound = authorities }
            item.authorities = authorities?.hashValue
            return item
        } catch {
            return BundleItem(error, after: previous)
        }
    }

    private init(problems: [BundleBook.Problem]) {
        self.problems = problems
    }

    init() {}

    private init(_ errors: ConfigurationErrors, after previous: BundleItem?) {
        deviceID = previous?.deviceID
        entry = previous?.entry
        let effect = entry == nil ? "" : "; its previous credentials stay in use"
        problems = errors.all.prefix(1).map { .init(.damaged, "\($0)\(effect)") }
    }

    private init(_ bundle: DeviceBundle, _ path: String, _ hosts: Set<String>) {
        deviceID = bundle.username?.value
        switch bundle.password?.value {
        case .secret(let password)?: entry = .password(password)
        case .placeholder?: entry = .unusable("still has a placeholder in angle brackets for a password")
        case nil: entry = .unusable("has no password")
        }
        problems = bundle.findings.compactMap { finding in
            switch finding.kind {
            case .exposed: .init(.exposed, "\(finding)")
            case .contradiction: .init(.contradiction, "\(finding)")
            // A bundle without its broker still has an identity, and the broker is the configured one.
            case .missing, .placeholder, .remark: nil
            }
        }
        if deviceID == nil {
            problems.append(.init(.withoutPassword, "\(path): has no user name, which is the device id"))
        } else if case .unusable(let why)? = entry {
            problems.append(.init(.withoutPassword, "\(path): \(why)"))
        }
        if let host = bundle.host, !hosts.contains(host.value.lowercased()) {
            let text = "is for the broker \(TextValue.shortened(host.value)), and uplink.host is another one"
            problems.append(.init(.otherBroker, "\(host.origin): \(text)"))
        }
    }
}

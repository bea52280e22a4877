import BridgeConfig
import BridgeCore

/// What `init` writes, and what it says about it. Made before anything is written.
package struct SetupPlan: Sendable {
    /// What a new configuration needs to know. Paths are as the configuration file names them.
    struct Values: Sendable, Equatable {
        var profile: Platform?
        var host: String?
        var port: Int?
        var fallbackHost: String?
        var fallbackPort: Int?
        var ca = ""
        var listen: String?
        var clientID: String?
        var username: String?
        var passwordFile: String?
        /// Whether the `.env` beside the configuration file has what the options do not say: host and identity.
        var leavesRestToDotEnv = false
        /// Whether that `.env` has a user name or a password.
        var dotEnvHasIdentity = false
    }

    package let paths: SetupPaths
    let request: SetupRequest
    var values = Values()
    /// The password, and the path of the file to write it into.
    var secret: (path: String, password: Secret)?
    var unpacked: (folder: String, files: [Archive.Entry])?
    /// Name and text of each line about what was found.
    package private(set) var found: [(name: String, text: String)] = []
    /// What is missing or should be looked at, in sentences.
    package private(set) var missing: [String] = []

    /// - Throws: What is missing without which no configuration works, or what is in the way.
    package init(_ source: SetupSource, _ request: SetupRequest, _ paths: SetupPaths) throws {
        self.paths = paths
        self.request = request
        guard !NewFile.exists(paths.file) else {
            throw SetupProblem(
                "\(paths.file) is in the way: init never overwrites a file; move it away, or name another one with --output"
            )
        }
        let bundle = try SetupBundle.read(source, paths)
        if let bundle, !bundle.unpacked.isEmpty { unpacked = (bundle.folder, bundle.unpacked) }
        if let path = source.path { found.append(("bundle", bundle.map { "\(path) (\($0.fileNames))" } ?? path)) }
        try takePlace(bundle, request)
        try takeAuthorities(bundle, request)
        takeIdentity(bundle, request)
        missing += bundle?.bundle.findings.filter { !isSettled($0, request) }.map(\.description) ?? []
    }

    // MARK: - Where the broker is

    private mutating func takePlace(_ bundle: SetupBundle?, _ request: SetupRequest) throws(SetupProblem) {
        let device = bundle?.bundle
        values.leavesRestToDotEnv = bundle?.isReadBesides ?? false
        values.listen = request.listen
        values.host = request.host ?? device?.host?.value
        values.port = request.port ?? device?.port?.value
        let isKnown = values.host == nil || values.host?.lowercased() == TESAIoT.host
        let profile = request.profile ?? (bundle != nil || (isKnown && request.host != nil) ? .tesaiot : .none)
        values.profile = profile == .tesaiot ? .tesaiot : nil
        guard values.host != nil || values.profile != nil else {
            throw SetupProblem("the broker's host is missing: give it with --host, or a bundle that names it")
        }
        let fallback = device?.fallback?.value
        values.fallbackPort = request.fallbackPort ?? fallback?.port
        values.fallbackHost = request.fallbackPort == nil ? fallback?.host : nil
        let port = values.port ?? TESAIoT.port
        found.append(("broker", "\(values.host ?? TESAIoT.host), UDP port \(port)"))
        if let fallbackPort = values.fallbackPort { found.append(("fallback", "TCP port \(fallbackPort)")) }
    }

    private mutating func takeAuthorities(_ bundle: SetupBundle?, _ request: SetupRequest) throws(SetupProblem) {
        if let path = request.ca {
            guard NewFile.exists(path) else { throw SetupProblem("--ca \(path): no such file") }
            values.ca = paths.written(path)
        } else if let bundle, let name = bundle.bundle.ca?.value {
            values.ca = written(SetupPaths.join(bundle.folder, name), isThere: bundle.unpacked.isEmpty)
        } else {
            let place = bundle.map { _ in "the bundle has no CA certificates (ca-chain.pem)" } ?? "there is no bundle"
            throw SetupProblem("the CA that signed the broker's certificate is missing: \(place); give it with --ca")
        }
        found.append(("CA", values.ca))
    }

    /// A path inside a folder that may still have to be made.
    private func written(_ path: String, isThere: Bool) -> String {
        guard !isThere else { return paths.written(path) }
        let prefix = paths.folder == "." ? "" : paths.folder + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
    }

    // MARK: - Who the device is

    private mutating func takeIdentity(_ bundle: SetupBundle?, _ request: SetupRequest) {
        let username = request.username ?? request.deviceID ?? bundle?.bundle.username?.value
        if let username { found.append(("device", username.quotedForMessage(limit: 80))) }
        var password: Secret?
        if case .secret(let secret)? = bundle?.bundle.password?.value { password = secret }
        // A copy of what the .env besides has would have no effect.
        let isWhole = password != nil || (bundle?.bundle.username != nil && request.passwordFile == nil)
        let stays = values.leavesRestToDotEnv && (isWhole || !request.namesIdentity)
        guard !stays else { return leaveIdentity(bundle, request, username, hasPassword: password != nil) }
        if let file = request.passwordFile {
            values.passwordFile = paths.written(file)
        } else if let password, let username {
            let path = SetupPaths.join(paths.credentials, "\(Self.fileName(username)).password")
            secret = (path, password)
            values.passwordFile = written(path, isThere: false)
        }
        guard let username, let file = values.passwordFile else {
            let what = username == nil ? "user name" : "password"
            missing.append(
                "without a \(what), devices have to send their own; for devices that have none, put the password into"
                    + " a file of one line and call init with --device-id and --password-file")
            values.passwordFile = nil
            return
        }
        values.username = username
        values.clientID = request.deviceID ?? username
        found.append(("password", secret == nil ? "read from \(file)" : "written to \(file), mode 600"))
    }

    /// What the `.env` beside the configuration file has of an identity stays there. What the options say goes into the
    /// configuration file.
    private mutating func leaveIdentity(
        _ bundle: SetupBundle?, _ request: SetupRequest, _ username: String?, hasPassword: Bool
    ) {
        found.append(("password", hasPassword ? "stays in .env" : "none"))
        let isUserInDotEnv = bundle?.bundle.username != nil
        values.dotEnvHasIdentity = isUserInDotEnv || hasPassword
        guard request.namesIdentity else { return }
        values.username = request.username ?? (isUserInDotEnv ? nil : request.deviceID)
        values.clientID = request.deviceID ?? username
        values.passwordFile = request.passwordFile.map { paths.written($0) }
        if values.clientID == nil, request.passwordFile != nil {
            missing.append("--password-file has no effect: .env has a password, and nothing has a user name")
        }
    }

    /// A device id as a file name: letters, digits and some signs.
    static func fileName(_ text: String) -> String {
        let name = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(100).map { scalar in
                    let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                    return isPlain || scalar == "-" || scalar == "_" || scalar == "." ? scalar : "_"
                }))
        return name.hasPrefix(".") ? "_" + name : name
    }

    /// Whether the options make up for a finding.
    private func isSettled(_ finding: BundleFinding, _ request: SetupRequest) -> Bool {
        switch finding.subject {
        case .host: request.host != nil
        case .port: request.port != nil || values.profile != nil
        case .username: (request.username ?? request.deviceID) != nil
        case .password: request.passwordFile != nil
        case .authorities: request.ca != nil
        case nil: false
        }
    }
}

extension SetupBundle {
    fileprivate var fileNames: String { bundle.files.map(\.rawValue).joined(separator: ", ") }
}

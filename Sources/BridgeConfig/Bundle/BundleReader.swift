import BridgeCore

/// Reads what is in the files of a TESAIoT bundle.
///
/// If several files have a value, the first of these wins: `mqtt-quic-config.json`, `.env`, `endpoints.json`. A
/// placeholder gives way to a value that is none. Differences are reported as findings.
package enum BundleReader {
    /// - Throws: Everything that makes the bundle unreadable: a file that is too large or damaged, or a value that cannot
    ///   be what it is meant to be. What is only missing is a finding.
    package static func read(_ contents: BundleContents) throws(ConfigurationErrors) -> DeviceBundle {
        var draft = BundleDraft(contents)
        try draft.checkSizes()
        draft.readConfiguration()
        draft.readDotEnv()
        draft.readEndpoints()
        draft.checkAuthorities()
        draft.checkOwner()
        try draft.diagnostics.throwIfAny()
        draft.reportExposure()
        draft.reportMissing()
        return draft.bundle
    }
}

/// A bundle while it is read.
struct BundleDraft {
    let contents: BundleContents
    let diagnostics = Diagnostics()
    var bundle = DeviceBundle()
    private var filesWithPassword: Set<BundleFile> = []
    /// The user name in each file, and the one in the file whose password is kept.
    private var usernames: [BundleFile: String] = [:]
    private var passwordFile: BundleFile?

    init(_ contents: BundleContents) {
        self.contents = contents
        bundle.files = BundleFile.allCases.filter { contents.files[$0] != nil }
    }

    /// Throws if nothing can be read, because other messages would only mislead then.
    func checkSizes() throws(ConfigurationErrors) {
        if !contents.isBundle {
            let names = BundleFile.allCases.filter { $0 != .authorities }.map(\.rawValue).joined(separator: ", ")
            diagnostics.error(
                Origin(.nowhere(name: contents.place)), nil,
                "is not a TESAIoT bundle: it has none of the files \(names)")
        }
        for (file, bytes) in contents.files where bytes.count > BundleFile.maximumSize {
            diagnostics.error(
                Origin(.nowhere(name: contents.path(of: file))), nil,
                "is larger than \(SizeValue.render(BundleFile.maximumSize)); a file of a bundle has a few KB")
        }
        try diagnostics.throwIfAny()
    }

    /// More than this are left out: nobody reads them all.
    private static let maximumFindings = 100

    mutating func note(
        _ kind: BundleFinding.Kind, _ origin: Origin, _ message: String, about subject: BundleFinding.Subject? = nil
    ) {
        let finding = BundleFinding(kind: kind, subject: subject, origin: origin, message: message)
        guard bundle.findings.count < Self.maximumFindings, !bundle.findings.contains(finding) else { return }
        bundle.findings.append(finding)
    }

    // MARK: - Values

    /// Keeps a value, or says where it differs from the one that is kept already.
    ///
    /// - Parameters:
    ///   - what: What the value is, for a message: `the host`.
    ///   - shows: Whether the message may quote both values.
    mutating func keep<Value>(
        _ value: Value, _ origin: Origin, at path: WritableKeyPath<DeviceBundle, DeviceBundle.Entry<Value>?>,
        _ what: String, shows: Bool = true
    ) {
        guard let present = bundle[keyPath: path] else {
            bundle[keyPath: path] = DeviceBundle.Entry(value: value, origin: origin)
            return
        }
        guard present.value != value else { return }
        let values = shows ? ": \(shown(value)) here, \(shown(present.value)) there" : ""
        note(.contradiction, origin, "\(what) is not the same as in \(present.origin), which is used\(values)")
    }

    private func shown<Value>(_ value: Value) -> String { TextValue.shortened("\(value)") }

    mutating func keepHost(_ text: String, _ origin: Origin) {
        if TextValue.isPlaceholder(text) {
            let message = "the host is still the placeholder \(TextValue.shortened(text))"
            return note(.placeholder, origin, message, about: .host)
        }
        if text.contains("://") { return keepURL(text, origin) }
        if let problem = HostValue.problem(with: text) {
            // A text such as `user:password@host` is not quoted.
            let advice = "is not a host name; leave out what stands before the @"
            return diagnostics.error(origin, "host", text.contains("@") ? advice : problem)
        }
        keep(text, origin, at: \.host, "the host")
    }

    mutating func keepUsername(_ text: String, _ origin: Origin, in file: BundleFile) {
        if TextValue.isPlaceholder(text) {
            let message = "the user name is still the placeholder \(TextValue.shortened(text)); enter the device id"
            return note(.placeholder, origin, message, about: .username)
        }
        if let problem = TextValue.problem(with: text) {
            return diagnostics.error(origin, "username", "the user name \(problem)")
        }
        if usernames[file] == nil { usernames[file] = text }
        keep(text, origin, at: \.username, "the user name or device id")
    }

    mutating func keepPassword(_ text: String, _ origin: Origin, in file: BundleFile) {
        if TextValue.isPlaceholder(text) {
            if bundle.password == nil { bundle.password = DeviceBundle.Entry(value: .placeholder, origin: origin) }
            return
        }
        if let problem = TextValue.problem(with: text) {
            return diagnostics.error(origin, "password", "the password \(problem)")
        }
        filesWithPassword.insert(file)
        if case .placeholder? = bundle.password?.value { bundle.password = nil }
        if bundle.password == nil { passwordFile = file }
        keep(.secret(Secret(text)), origin, at: \.password, "the password", shows: false)
    }

    mutating func keepPort(_ text: String, _ origin: Origin) {
        guard let port = port(text, origin) else { return }
        keep(port, origin, at: \.port, "the port for QUIC")
    }

    func port(_ text: String, _ origin: Origin) -> Int? {
        whole(text, origin, "port", in: 1...65_535, "a port")
    }

    /// A whole number that may be written as a text. An error is reported.
    func whole(
        _ text: String, _ origin: Origin, _ key: String, in range: ClosedRange<Int>, _ what: String
    ) -> Int? {
        let digits = text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
        guard let number = digits, range.contains(number) else {
            let quoted = "\"\(TextValue.shortened(text))\""
            diagnostics.error(origin, key, "\(quoted) is not \(what), \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    // MARK: - What is wrong with the whole

    /// A device must not appear with the password of another one.
    mutating func checkOwner() {
        guard let username = bundle.username?.value, let origin = bundle.password?.origin,
            let owner = passwordFile.flatMap({ usernames[$0] }), !owner.utf8.elementsEqual(username.utf8)
        else { return }
        let names = "\"\(TextValue.shortened(owner))\", and the bundle is for \"\(TextValue.shortened(username))\""
        let advice = "use one device id in all files"
        diagnostics.error(origin, nil, "the password here is that of the device \(names); \(advice)")
    }

    mutating func reportExposure() {
        for file in BundleFile.allCases
        where filesWithPassword.contains(file) && contents.readableByOthers.contains(file) {
            let origin = Origin(.nowhere(name: contents.path(of: file)))
            note(.exposed, origin, "contains a password and can be read by other users; chmod 600 it")
        }
    }

    mutating func reportMissing() {
        let bundle = bundle
        let place = Origin(.nowhere(name: contents.place))
        if case .placeholder? = bundle.password?.value, let origin = bundle.password?.origin {
            // It is not quoted, because someone may have put the password between the brackets.
            let advice = "enter the password that the platform showed when it made the device"
            let message = "the password is still the placeholder in angle brackets; \(advice)"
            note(.placeholder, origin, message, about: .password)
        }
        let isNamed = { (subject: BundleFinding.Subject) in
            bundle.findings.contains { $0.kind == .placeholder && $0.subject == subject }
        }
        if bundle.host == nil, !isNamed(.host) {
            note(.missing, place, "does not say which host the broker is", about: .host)
        }
        if bundle.port == nil {
            let message = "does not say which port takes MQTT over QUIC; TESAIoT's is 14567"
            note(.missing, place, message, about: .port)
        }
        if bundle.username == nil, !isNamed(.username) {
            note(.missing, place, "has no user name, which on TESAIoT is the device id", about: .username)
        }
        if bundle.password == nil { note(.missing, place, "has no password", about: .password) }
        if bundle.ca == nil {
            let message = "has no CA certificates (\(BundleFile.authorities.rawValue))"
            note(.missing, place, message, about: .authorities)
        }
    }
}

import BridgeConfig

/// The files of a TESAIoT bundle are refused with a place each, or give values that a configuration can have; no finding
/// shows the password.
///
/// The input is the files one after another, with a NUL between them: `mqtt-quic-config.json`, `.env`, `endpoints.json`
/// and `ca-chain.pem`.
package enum BundleTarget: FuzzTarget {
    package static let name = "bundle"
    package static let summary = "the files of a bundle are refused with their places, or give usable values"
    package static let maximumLength = 3072
    package static let seeds = [
        SampleBundle.files.joined(separator: "\u{0}"),
        SampleBundle.files[0], "\u{0}" + SampleBundle.files[1], "\u{0}\u{0}" + SampleBundle.files[2],
        #"{"host": "a", "port": "14567", "auth": {"password": "<your password>"}}"#,
        "\u{0}\u{0}" + #"{"endpoints": [{"type": "mqtts", "host": "[::1]", "port": 8884, "mtls": true}]}"#,
    ].map { Array($0.utf8) }
    package static let words =
        [
            "host", "port", "endpoint", "mqtts://", "quic", "ca_file", "verify_server", "username", "password", "\\u00",
            "<x>",
        ]
        .map { Array($0.utf8) }

    package static func run(_ input: [UInt8]) throws {
        let parts = input.split(separator: 0, omittingEmptySubsequences: false).prefix(BundleFile.allCases.count)
        var files: [BundleFile: [UInt8]] = [:]
        for (file, bytes) in zip(BundleFile.allCases, parts) where !bytes.isEmpty { files[file] = Array(bytes) }
        try check(BundleContents(place: "bundle", files: files))
    }

    /// What has to hold for any bundle.
    static func check(_ contents: BundleContents) throws {
        let bundle: DeviceBundle
        do throws(ConfigurationErrors) {
            bundle = try BundleReader.read(contents)
        } catch {
            return try check(error.all.map(\.description), hiding: nil)
        }
        try check(bundle.findings.map(\.description), hiding: secret(of: bundle, contents))
        let ports = [bundle.port?.value].compactMap { $0 } + bundle.fallbacks.map(\.value.port)
        try require(ports.allSatisfy { (1...65_535).contains($0) }, "a port of \(ports)")
        let hosts = [bundle.host?.value].compactMap { $0 } + bundle.fallbacks.compactMap(\.value.host)
        try require(hosts.allSatisfy { !$0.isEmpty && !$0.contains(" ") }, "a host of \(hosts)")
        try require(bundle.ca.map { !$0.value.contains("/") } ?? true, "a CA file out of the folder")
        if let identity = bundle.identity { try require(!identity.username.isEmpty, "an empty user name") }
    }

    /// The password, if it is long enough and written only once, so that no message may have it.
    private static func secret(of bundle: DeviceBundle, _ contents: BundleContents) -> String? {
        guard case .secret(let secret)? = bundle.password?.value, secret.value.utf8.count > 5 else { return nil }
        let text = contents.files.values.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        return text.split(separator: secret.value, omittingEmptySubsequences: false).count == 2 ? secret.value : nil
    }

    private static func check(_ messages: [String], hiding secret: String?) throws {
        for message in messages {
            try requireOneLine(message)
            try require(secret.map { !message.contains($0) } ?? true, "a password in a message: \(message)")
        }
    }
}

import BridgeCore

// Reads `mqtt-quic-config.json`.
extension BundleDraft {
    mutating func readConfiguration() {
        guard let (root, text) = parsed(.configuration) else { return }
        checkTransport(root, text)
        checkMethod(root, text)
        scalar(root, text, ["host"], ["hostname"]) { $0.keepHost($1, $2) }
        scalar(root, text, ["port"]) { $0.keepPort($1, $2) }
        scalar(root, text, ["endpoint"], ["url"]) { $0.keepURL($1, $2) }
        let isIdentity: [[String]] = [
            ["auth", "username"], ["auth", "device_id"], ["username"], ["client_id"], ["device_id"],
        ]
        for path in isIdentity { scalar(root, text, path) { $0.keepUsername($1, $2, in: .configuration) } }
        scalar(root, text, ["auth", "password"], ["password"]) { $0.keepPassword($1, $2, in: .configuration) }
        scalar(root, text, ["tls", "ca_file"], ["tls", "ca_cert"], ["ca_file"]) { $0.keepAuthorities($1, $2) }
    }

    /// The value of a JSON file. An error is reported.
    func parsed(_ file: BundleFile) -> (JSONNode, JSONText)? {
        guard let bytes = contents.files[file] else { return nil }
        let text = JSONText(bytes, name: contents.path(of: file))
        do {
            return (try text.parse(), text)
        } catch {
            diagnostics.error(error.origin, error.key, error.message)
            return nil
        }
    }

    /// Calls `body` with the first value that there is at one of the paths. `null` and an empty text are no values.
    private mutating func scalar(
        _ root: JSONNode, _ text: JSONText, _ paths: [String]...,
        then body: (inout BundleDraft, String, Origin) -> Void
    ) {
        for path in paths {
            var node: JSONNode? = root
            for name in path { node = node?.value(name) }
            guard let found = node else { continue }
            switch found.content {
            case .null: continue
            case .list, .object:
                let message = "expected a text or a number, found \(found.kind)"
                return diagnostics.error(text.origin(of: found), path.joined(separator: "."), message)
            case .boolean, .number, .string:
                guard let value = found.scalar, !value.isEmpty else { continue }
                return body(&self, value, text.origin(of: found))
            }
        }
    }

    private mutating func checkTransport(_ root: JSONNode, _ text: JSONText) {
        scalar(root, text, ["transport"]) { draft, value, origin in
            guard !value.lowercased().contains("quic") else { return }
            let message = "\"\(TextValue.shortened(value))\" is not quic: this bundle is not for MQTT over QUIC"
            draft.diagnostics.error(origin, "transport", message)
        }
        scalar(root, text, ["tls", "enabled"]) { draft, value, origin in
            guard Self.flag(value) == false else { return }
            draft.note(.remark, origin, "TLS is switched off here, but QUIC always uses it")
        }
        scalar(root, text, ["tls", "version"]) { draft, value, origin in
            guard !value.hasSuffix("1.3") else { return }
            draft.note(.remark, origin, "TLS \(TextValue.shortened(value)) is asked for here, but QUIC always uses 1.3")
        }
        scalar(root, text, ["tls", "verify_server"]) { draft, value, origin in
            guard Self.flag(value) == false else { return }
            draft.note(.remark, origin, "the check of the server is switched off here, but it is always made")
        }
    }

    private mutating func checkMethod(_ root: JSONNode, _ text: JSONText) {
        scalar(root, text, ["auth", "method"]) { draft, value, origin in
            let plain = JSONNode.plain(value)
            guard !plain.contains("password"), plain != "basic" else { return }
            let advice = "only user name and password are taken from a bundle"
            draft.note(.remark, origin, "the device is to log in by \"\(TextValue.shortened(value))\"; \(advice)")
        }
    }

    /// Takes host and port from a URL such as `mqtts://mqtt.tesaiot.com:14567`.
    mutating func keepURL(_ value: String, _ origin: Origin) {
        guard let url = BundleURL(value) else {
            // It is not quoted, because a URL may contain a password.
            return diagnostics.error(origin, "endpoint", "is not a URL such as mqtts://mqtt.tesaiot.com:14567")
        }
        keepHost(url.host, origin)
        if let port = url.port { keepPort(port, origin) }
    }

    /// Takes the name of the CA file, which has to be in the bundle. A path is not followed.
    mutating func keepAuthorities(_ value: String, _ origin: Origin) {
        let name = value.hasPrefix("./") ? String(value.dropFirst(2)) : value
        guard !name.contains("/"), !name.contains("\\"), name != "..", name != "." else {
            let message =
                "\"\(TextValue.shortened(value))\" is not in the folder of the bundle; write only the file's name"
            return diagnostics.error(origin, "tls.ca_file", message)
        }
        guard contents.contains(name) else {
            let message = "the file \(TextValue.shortened(name)) is named here, but is not in the bundle"
            return note(.missing, origin, message, about: .authorities)
        }
        keep(name, origin, at: \.ca, "the file of CA certificates")
    }

    /// `ca-chain.pem` is the CA even if no file names it.
    mutating func checkAuthorities() {
        guard let bytes = contents.files[.authorities] else { return }
        let path = contents.path(of: .authorities)
        let origin = Origin(.nowhere(name: path))
        if bundle.ca == nil { keep(BundleFile.authorities.rawValue, origin, at: \.ca, "the file of CA certificates") }
        guard !contents.hasSoundAuthorities else { return }
        if let problem = CredentialFile.problem(withCertificates: bytes, at: path) {
            diagnostics.error(origin, nil, problem)
        }
    }
}

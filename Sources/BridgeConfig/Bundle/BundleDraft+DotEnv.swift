// Reads the `.env` of a bundle.
extension BundleDraft {
    mutating func readDotEnv() {
        guard let bytes = contents.files[.dotEnv] else { return }
        let name = contents.path(of: .dotEnv)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return diagnostics.error(Origin(.nowhere(name: name)), nil, "is not UTF-8 text")
        }
        let entries = DotEnv(text, name: name, diagnostics: diagnostics).entries.filter { !$0.value.isEmpty }
        // The broker checks the password for the user name, so that counts before the client id, wherever it stands.
        let isLate = { (entry: DotEnv.Entry) in entry.name == "MQTT_CLIENT_ID" }
        for entry in entries.filter({ !isLate($0) }) + entries.filter(isLate) {
            keep(entry, Origin(.dotEnv(name: name, line: entry.line, variable: entry.name)))
        }
    }

    private mutating func keep(_ entry: DotEnv.Entry, _ origin: Origin) {
        let value = entry.value
        switch entry.name {
        case "MQTT_HOST": keepHost(value, origin)
        case "MQTT_PORT": keepPort(value, origin)
        case "MQTT_USERNAME", "MQTT_CLIENT_ID": keepUsername(value, origin, in: .dotEnv)
        case "MQTT_PASSWORD": keepPassword(value, origin, in: .dotEnv)
        case "MQTT_TRANSPORT" where !value.lowercased().contains("quic"):
            let message = "\"\(TextValue.shortened(value))\" is not quic: this bundle is not for MQTT over QUIC"
            diagnostics.error(origin, nil, message)
        case "MQTT_CA_CERT":
            // The examples of the platform name a path on the machine where they run, so only its last part means
            // something here.
            let name = value.split(separator: "/").last.map(String.init) ?? value
            if contents.contains(name) { keepAuthorities(name, origin) }
        default: break
        }
    }
}

// Reads the `.env` of a bundle.
extension BundleDraft {
    mutating func readDotEnv() {
        guard let bytes = contents.files[.dotEnv] else { return }
        let name = contents.path(of: .dotEnv)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return diagnostics.error(Origin(.nowhere(name: name)), nil, "is not UTF-8 text")
        }
        for entry in DotEnv(text, name: name, diagnostics: diagnostics).entries where !entry.value.isEmpty {
            keep(entry, Origin(.dotEnv(name: name, line: entry.line, variable: entry.name)))
        }
    }

    private mutating func keep(_ entry: DotEnv.Entry, _ origin: Origin) {
        let value = entry.value
        switch entry.name {
        case "MQTT_HOST": keepHost(value, origin)
        case "MQTT_PORT": keepPort(value, origin)
        case "MQTT_USERNAME", "MQTT_CLIENT_ID": keepUsername(value, origin)
        case "MQTT_PASSWORD": keepPassword(value, origin, in: .dotEnv)
        case "MQTT_KEEPALIVE": keepSeconds(value, origin, at: \.keepAlive, "MQTT_KEEPALIVE")
        case "MQTT_CLEAN_SESSION": keepFlag(value, origin, at: \.cleanSession, "MQTT_CLEAN_SESSION")
        case "MQTT_CONNECT_TIMEOUT": keepSeconds(value, origin, at: \.connectTimeout, "MQTT_CONNECT_TIMEOUT")
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

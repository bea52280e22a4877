/// What the operator gave to `init`. Each value wins over that of the bundle.
package struct SetupRequest: Sendable, Equatable {
    package var host: String?
    package var port: Int?
    package var fallbackPort: Int?
    /// Path of a PEM file, as the operator wrote it.
    package var ca: String?
    package var username: String?
    package var deviceID: String?
    /// Path of a file of one line, as the operator wrote it.
    package var passwordFile: String?
    package var listen: String?
    /// `nil` if `init` shall decide.
    package var profile: Profile?

    package enum Profile: String, Sendable, CaseIterable {
        case tesaiot, none
    }

    package init() {}

    /// Whether there is enough for a configuration without a bundle.
    package var isEnough: Bool { ca != nil && (host != nil || profile == .tesaiot) }
    /// Whether something about the identity at the broker is given.
    var namesIdentity: Bool { username != nil || deviceID != nil || passwordFile != nil }

    /// The option that says what the configuration has at a key (`uplink.host`); `nil` if none was given for it.
    func option(for key: String) -> String? {
        // Of a list, the whole comes from one option.
        switch key.prefix(while: { $0 != "[" }) {
        case "uplink.host": host.map { _ in "--host" }
        case "uplink.port": port.map { _ in "--port" }
        case "uplink.fallback.port": fallbackPort.map { _ in "--fallback-port" }
        case "uplink.ca": ca.map { _ in "--ca" }
        case "auth.username": username.map { _ in "--username" } ?? deviceID.map { _ in "--device-id" }
        case "auth.client_id": deviceID.map { _ in "--device-id" }
        case "auth.password_file": passwordFile.map { _ in "--password-file" }
        case "listen": listen.map { _ in "--listen" }
        default: nil
        }
    }
}

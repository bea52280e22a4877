import MQTTCodec

/// Decides which devices appear at the broker with the identity of a bundle, in the mode `bundles`.
struct BundleRule: Sendable {
    /// What becomes of a device.
    enum Decision: Equatable {
        /// It keeps what it sent: it brings credentials, which the broker checks.
        case own
        /// It appears as this device, with this password.
        case bundle(deviceID: String, password: Secret, isMapped: Bool)
        case refused(Refusal)
    }

    /// Why a device is not let in.
    struct Refusal: Error, Equatable {
        /// What the log says.
        var message: String
        var code: ReasonCode
    }

    private let bundles: LiveBundles
    private let deviceIDs: [ExactText: String]
    private let passwords: AuthConfiguration.DevicePasswords

    init(_ configuration: AuthConfiguration, _ bundles: LiveBundles) {
        self.bundles = bundles
        self.passwords = configuration.devicePasswords
        var deviceIDs: [ExactText: String] = [:]
        for item in configuration.bundleMap { deviceIDs[ExactText(text: item.clientID)] = item.deviceID }
        self.deviceIDs = deviceIDs
    }

    /// - Parameter bringsCredentials: Whether the device sent a password or asks for enhanced authentication.
    func decision(clientID: String, username: String?, bringsCredentials: Bool) -> Decision {
        if bringsCredentials, passwords == .pass { return .own }
        let book = bundles.current
        if let deviceID = deviceIDs[ExactText(text: clientID)] {
            return decision(deviceID, book[deviceID], clientID, isMapped: true)
        }
        if let entry = book[clientID] { return decision(clientID, entry, clientID, isMapped: false) }
        if let username, let entry = book[username] { return decision(username, entry, clientID, isMapped: false) }
        let name = clientID.isEmpty ? "a device without a client id" : "client id \(clientID.quotedForMessage())"
        let user = username.map { " and user name \($0.quotedForMessage())" } ?? ""
        let advice = "there is no bundle for it in auth.bundles, and it is not in auth.bundle_map"
        return .refused(Refusal(message: "\(name)\(user): \(advice)", code: .notAuthorized))
    }

    private func decision(
        _ deviceID: String, _ entry: BundleBook.Entry?, _ clientID: String, isMapped: Bool
    ) -> Decision {
        let name = "client id \(clientID.quotedForMessage())"
        switch entry {
        case .password(let password)?:
            return .bundle(deviceID: deviceID, password: password, isMapped: isMapped)
        case .unusable(let why)?:
            let message = "\(name): the bundle of device \(deviceID.quotedForMessage()) \(why)"
            return .refused(Refusal(message: message, code: .badUserNameOrPassword))
        case nil:
            let target = "auth.bundle_map names the device \(deviceID.quotedForMessage())"
            return .refused(Refusal(message: "\(name): \(target), which has no bundle", code: .notAuthorized))
        }
    }
}

extension Connect {
    /// Whether the broker can check who the device is: it sent a password, or asks for enhanced authentication (MQTT 5
    /// 4.12).
    var bringsCredentials: Bool {
        password != nil || properties.authenticationMethod != nil || properties.hasUnread(.authenticationMethod)
    }
}

/// The identity with which a device appears at the broker.
package struct AuthConfiguration: Sendable, Equatable {
    /// Which identity the broker sees.
    package var mode: Mode
    /// In the mode `inject`, the identity that replaces the device's own. A field that is `nil` passes through.
    package var identity: IdentityTemplate
    /// Identities of single devices, which replace `identity` or a bundle in the modes `passthrough`, `inject` and
    /// `bundles`. The first one that matches is used.
    package var overrides: [Override]
    /// In the mode `local`, the path of a password file in the format of `mosquitto_passwd`; `nil` if only anonymous
    /// devices are accepted.
    package var usersFile: String?
    /// In the mode `local`, whether devices without a user name are accepted.
    package var allowsAnonymous: Bool

    /// In the mode `bundles`, the path of the folder with a bundle per device.
    package var bundlesFolder: String?
    /// In the mode `bundles`, the devices whose client id is not their device id.
    package var bundleMap: [BundleMapping]
    /// In the mode `bundles`, what becomes of a device that brings a password of its own.
    package var devicePasswords: DevicePasswords

    /// Where a device's identity comes from.
    package enum Mode: String, Sendable, CaseIterable {
        /// The broker sees the device's own client id, user name and password.
        case passthrough
        /// The broker sees the client id, user name and password of the configuration.
        case inject
        /// The broker sees the device id and the password of the device's bundle, as client id, user name and password.
        case bundles
        /// The bridge itself checks user name and password, and the broker never sees them. This is for the mapping
        /// `data-stream`.
        case local
    }

    /// Client id and user name may contain `${clientid}` and `${username}`, which stand for what the device itself sent,
    /// and `${listener}` and `${peer}`. A password contains no variables.
    package struct IdentityTemplate: Sendable, Equatable {
        package var clientID: String?
        package var username: String?
        package var password: Secret?

        package init(clientID: String? = nil, username: String? = nil, password: Secret? = nil) {
            self.clientID = clientID
            self.username = username
            self.password = password
        }
    }

    /// One device, or all devices of one user, with an identity of its own.
    package struct Override: Sendable, Equatable {
        /// The device, or the user, that the override is for.
        package var match: Match
        package var identity: IdentityTemplate

        /// What the device itself sent.
        package enum Match: Sendable, Equatable {
            case clientID(String)
            case username(String)
        }

        package init(match: Match, identity: IdentityTemplate) {
            self.match = match
            self.identity = identity
        }
    }

    /// A device that connects with another client id than the id in its bundle.
    package struct BundleMapping: Sendable, Equatable {
        /// What the device sends.
        package var clientID: String
        /// The user name in its bundle.
        package var deviceID: String

        package init(clientID: String, deviceID: String) {
            self.clientID = clientID
            self.deviceID = deviceID
        }
    }

    package enum DevicePasswords: String, Sendable, CaseIterable {
        /// The broker checks the password that the device sent. Its bundle is not used.
        case pass
        /// Nobody checks the password that the device sent. That of its bundle takes its place.
        case replace
    }

    package init(
        mode: Mode = .passthrough, identity: IdentityTemplate = IdentityTemplate(), overrides: [Override] = [],
        usersFile: String? = nil, allowsAnonymous: Bool = false, bundlesFolder: String? = nil,
        bundleMap: [BundleMapping] = [], devicePasswords: DevicePasswords = .pass
    ) {
        self.mode = mode
        self.identity = identity
        self.overrides = overrides
        self.usersFile = usersFile
        self.allowsAnonymous = allowsAnonymous
        self.bundlesFolder = bundlesFolder
        self.bundleMap = bundleMap
        self.devicePasswords = devicePasswords
    }
}

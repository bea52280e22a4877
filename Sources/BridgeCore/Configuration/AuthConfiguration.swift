/// Which identity a device shows to the broker.
package struct AuthConfiguration: Sendable, Equatable {
    package var mode: Mode
    /// For `inject`: what replaces the device's own; a field that is `nil` passes through.
    package var identity: IdentityTemplate
    /// Applied in either mode instead of `identity`: by client id before by user name, else the first that matches.
    package var overrides: [Override]
    /// For `local`: path of a password file as `mosquitto_passwd` writes it. `nil` where only anonymous devices come.
    package var usersFile: String?
    /// For `local`: whether devices without a user name are let in.
    package var allowsAnonymous: Bool

    package enum Mode: String, Sendable, CaseIterable {
        /// The device's own client id, user name and password.
        case passthrough
        /// Client id, user name and password from the configuration.
        case inject
        /// The bridge itself checks user name and password; the broker never sees them. For the mapping `data-stream`.
        case local
    }

    /// Client id and user name may hold `${clientid}`, `${username}`, `${listener}` and `${peer}`, which stand for what
    /// the device itself sent. A password is taken as it is.
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

    /// One device (or all devices of one user) that gets an identity of its own.
    package struct Override: Sendable, Equatable {
        package var match: Match
        package var identity: IdentityTemplate

        package enum Match: Sendable, Equatable {
            case clientID(String)
            case username(String)
        }

        package init(match: Match, identity: IdentityTemplate) {
            self.match = match
            self.identity = identity
        }
    }

    package init(
        mode: Mode = .passthrough, identity: IdentityTemplate = IdentityTemplate(), overrides: [Override] = [],
        usersFile: String? = nil, allowsAnonymous: Bool = false
    ) {
        self.mode = mode
        self.identity = identity
        self.overrides = overrides
        self.usersFile = usersFile
        self.allowsAnonymous = allowsAnonymous
    }
}

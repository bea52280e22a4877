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
    /// Whether anything is given.
    package var isEmpty: Bool { self == SetupRequest() }
}

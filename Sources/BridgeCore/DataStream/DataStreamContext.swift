/// What a data-stream session knows about the world besides its two legs.
package struct DataStreamContext: Sendable {
    /// What every session knows. Its `identities` are not used, because the broker sees only the gateway.
    package var device: SessionContext
    /// The versions of the gateway's sessions: a device of another version is refused.
    package var versions: GatewayIdentity.Version
    /// Whether devices without a user name are let in.
    package var allowsAnonymous: Bool

    package init(device: SessionContext, versions: GatewayIdentity.Version = .any, allowsAnonymous: Bool = false) {
        self.device = device
        self.versions = versions
        self.allowsAnonymous = allowsAnonymous
    }
}

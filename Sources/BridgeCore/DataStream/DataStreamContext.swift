/// What a data-stream session knows of the world besides its two legs.
package struct DataStreamContext: Sendable {
    /// What every session knows; its `identities` are not used, for the broker sees the gateway only.
    package var device: SessionContext
    /// Of the gateway's sessions: a device of another version is refused.
    package var versions: GatewayIdentity.Version
    /// Whether devices without a user name are let in.
    package var allowsAnonymous: Bool

    package init(device: SessionContext, versions: GatewayIdentity.Version = .any, allowsAnonymous: Bool = false) {
        self.device = device
        self.versions = versions
        self.allowsAnonymous = allowsAnonymous
    }
}

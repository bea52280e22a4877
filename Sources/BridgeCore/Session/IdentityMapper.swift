import MQTTCodec
import NIOCore

/// Puts the identity that the operator decided on into a device's CONNECT.
package struct IdentityMapper: Sendable {
    private struct Templates: Sendable {
        var clientID: TemplateString?
        var username: TemplateString?
        var password: Secret?

        init(_ identity: AuthConfiguration.IdentityTemplate) throws {
            self.clientID = try identity.clientID.map { try TemplateString(parsing: $0) }
            self.username = try identity.username.map { try TemplateString(parsing: $0) }
            self.password = identity.password
        }
    }

    /// Where the identity of a device comes from.
    package enum Source: String, Sendable, Encodable {
        /// The device keeps its own.
        case device
        /// It is that of the section `auth`, in the mode `inject`.
        case configured
        /// An item of `auth.overrides` matches the client id.
        case clientIDOverride
        /// An item of `auth.overrides` matches the user name.
        case usernameOverride
        /// The broker sees the gateway, in the mapping `data-stream`.
        case gateway
    }

    private let injected: Templates?
    private var byClientID: [ExactText: Templates] = [:]
    private var byUsername: [ExactText: Templates] = [:]

    /// Throws if a template names a variable that does not exist.
    package init(_ configuration: AuthConfiguration) throws {
        switch configuration.mode {
        case .passthrough, .local: injected = nil
        case .inject: injected = try Templates(configuration.identity)
        }
        for override in configuration.overrides {
            let templates = try Templates(override.identity)
            switch override.match {
            case .clientID(let clientID):
                let key = ExactText(text: clientID)
                byClientID[key] = byClientID[key] ?? templates
            case .username(let username):
                let key = ExactText(text: username)
                byUsername[key] = byUsername[key] ?? templates
            }
        }
    }

    /// Every device keeps its own identity.
    package var isEmpty: Bool { injected == nil && byClientID.isEmpty && byUsername.isEmpty }

    /// What the broker sees of a device; `nil` stands for a password of the device's own.
    struct Appearance: Equatable {
        var clientID: String
        var username: String?
        var password: Secret?
    }

    /// How a device that sent this identity appears at the broker.
    func appearance(of own: OwnIdentity, _ variables: RouteVariables) -> Appearance {
        let templates = match(own.clientID, own.username).templates
        return Appearance(
            clientID: templates?.clientID?.render(variables) ?? own.clientID,
            username: templates?.username?.render(variables) ?? own.username, password: templates?.password)
    }

    /// Changes client id, user name and password as the configuration says; a field without a template stays.
    ///
    /// - Parameter variables: What the device itself sent.
    /// - Returns: whether anything changed.
    package func apply(to connect: inout Connect, variables: RouteVariables) -> Bool {
        guard let templates = match(connect.clientID, connect.username).templates else { return false }
        let before = connect
        if let clientID = templates.clientID { connect.clientID = clientID.render(variables) }
        if let username = templates.username { connect.username = username.render(variables) }
        if let password = templates.password { connect.password = ByteBuffer(string: password.value) }
        return connect != before
    }

    /// What decides about the identity of the device that sent this CONNECT.
    package func source(for connect: Connect) -> Source { match(connect.clientID, connect.username).source }

    private func match(_ clientID: String, _ username: String?) -> (source: Source, templates: Templates?) {
        if let templates = byClientID[ExactText(text: clientID)] { return (.clientIDOverride, templates) }
        if let username, let templates = byUsername[ExactText(text: username)] { return (.usernameOverride, templates) }
        return injected.map { (.configured, $0) } ?? (.device, nil)
    }
}

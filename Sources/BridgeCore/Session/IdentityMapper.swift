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

        /// Whether the client id that the device sent becomes a part of what the broker sees.
        var usesClientID: Bool {
            [clientID, username].contains { $0?.variables.contains(.clientID) == true }
        }

        /// The user name for a device that sent `own`. A device without one still has none if nothing but its user name
        /// would be in it, unless the password needs a user name beside it (MQTT 3.1.1 3.1.2.9).
        func username(insteadOf own: String?, _ variables: RouteVariables) -> String? {
            guard let username else { return own }
            let rendered = username.render(variables)
            let isAbsent = own == nil && password == nil && rendered.isEmpty && !username.segments.isEmpty
            return isAbsent ? nil : rendered
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
        /// It is that of the device's bundle.
        case bundle
        /// It is that of the bundle that `auth.bundle_map` names.
        case mappedBundle
        /// The broker sees the gateway, in the mapping `data-stream`.
        case gateway
    }

    private let injected: Templates?
    /// Those of `auth.overrides`, in their order.
    private var overrides: [Templates] = []
    /// The first override, by its index, for a client id or a user name.
    private var byClientID: [ExactText: Int] = [:]
    private var byUsername: [ExactText: Int] = [:]
    private let bundles: BundleRule?

    /// Throws if a template names a variable that does not exist.
    ///
    /// - Parameter bundles: The bundles of the mode `bundles`. Without them no device of that mode has one.
    package init(_ configuration: AuthConfiguration, bundles: LiveBundles? = nil) throws {
        switch configuration.mode {
        case .passthrough, .local, .bundles: injected = nil
        case .inject: injected = try Templates(configuration.identity)
        }
        self.bundles =
            configuration.mode == .bundles
            ? BundleRule(configuration, bundles ?? LiveBundles(BundleBook())) : nil
        for (index, override) in configuration.overrides.enumerated() {
            overrides.append(try Templates(override.identity))
            switch override.match {
            case .clientID(let clientID):
                let key = ExactText(text: clientID)
                byClientID[key] = byClientID[key] ?? index
            case .username(let username):
                let key = ExactText(text: username)
                byUsername[key] = byUsername[key] ?? index
            }
        }
    }

    /// Every device keeps its own identity.
    package var isEmpty: Bool { injected == nil && overrides.isEmpty && bundles == nil }

    /// What the broker sees of a device.
    struct Appearance: Equatable {
        enum Password: Equatable {
            /// The device's own, or none.
            case own
            case configured(Secret)
            /// That of the bundle, whichever it is: a new one is no reason to disconnect a device that is let in.
            case bundle
        }

        var clientID: String
        var username: String?
        var password = Password.own
        var isRefused = false
    }

    /// How a device that sent this identity appears at the broker.
    ///
    /// - Parameter bringsCredentials: See ``SessionIdentity/bringsCredentials``.
    func appearance(of own: OwnIdentity, bringsCredentials: Bool, _ variables: RouteVariables) -> Appearance {
        var appearance = Appearance(clientID: own.clientID, username: own.username)
        switch match(own.clientID, own.username, bringsCredentials) {
        case .own:
            break
        case .templates(let templates, _):
            if let clientID = templates.clientID { appearance.clientID = clientID.render(variables) }
            appearance.username = templates.username(insteadOf: appearance.username, variables)
            if let password = templates.password { appearance.password = .configured(password) }
        case .bundle(let deviceID, _, _):
            appearance = Appearance(clientID: deviceID, username: deviceID, password: .bundle)
        case .refused:
            appearance.isRefused = true
        }
        return appearance
    }

    /// Whether the client id of the device that sent this CONNECT becomes a part of what the broker sees.
    func usesClientID(of connect: Connect) -> Bool {
        guard case .templates(let templates, _) = match(connect.clientID, connect.username, connect.bringsCredentials)
        else { return false }
        return templates.usesClientID
    }

    /// Changes client id, user name and password as the configuration says; a field without a template stays.
    ///
    /// - Parameter variables: What the device itself sent, or the client id that the bridge made for it.
    /// - Returns: whether anything changed.
    /// - Throws: Why the device is not let in.
    func apply(to connect: inout Connect, variables: RouteVariables) throws(BundleRule.Refusal) -> Bool {
        let before = connect
        switch match(connect.clientID, connect.username, connect.bringsCredentials) {
        case .own:
            return false
        case .templates(let templates, _):
            if let clientID = templates.clientID { connect.clientID = clientID.render(variables) }
            connect.username = templates.username(insteadOf: connect.username, variables)
            if let password = templates.password { connect.password = ByteBuffer(string: password.value) }
        case .bundle(let deviceID, let password, _):
            connect.clientID = deviceID
            connect.username = deviceID
            connect.password = ByteBuffer(string: password.value)
        case .refused(let refusal):
            throw refusal
        }
        return connect != before
    }

    /// What decides about the identity of the device that sent this CONNECT.
    package func source(for connect: Connect) -> Source {
        switch match(connect.clientID, connect.username, connect.bringsCredentials) {
        case .own, .refused: .device
        case .templates(_, let source): source
        case .bundle(_, _, let isMapped): isMapped ? .mappedBundle : .bundle
        }
    }

    private enum Match {
        case own
        case templates(Templates, Source)
        case bundle(deviceID: String, password: Secret, isMapped: Bool)
        case refused(BundleRule.Refusal)
    }

    private func match(_ clientID: String, _ username: String?, _ bringsCredentials: Bool) -> Match {
        if let (templates, source) = override(clientID, username) { return .templates(templates, source) }
        guard let bundles else { return injected.map { .templates($0, .configured) } ?? .own }
        return switch bundles.decision(clientID: clientID, username: username, bringsCredentials: bringsCredentials) {
        case .own: .own
        case .bundle(let deviceID, let password, let isMapped):
            .bundle(deviceID: deviceID, password: password, isMapped: isMapped)
        case .refused(let refusal): .refused(refusal)
        }
    }

    /// The first item of `auth.overrides` that matches, as they are written.
    private func override(_ clientID: String, _ username: String?) -> (Templates, Source)? {
        guard !overrides.isEmpty else { return nil }
        let first = byClientID[ExactText(text: clientID)]
        if let index = username.flatMap({ byUsername[ExactText(text: $0)] }), index < first ?? .max {
            return (overrides[index], .usernameOverride)
        }
        return first.map { (overrides[$0], .clientIDOverride) }
    }
}

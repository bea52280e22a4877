/// Whom the broker sees in the mapping `data-stream`: the gateway, with one MQTT session a connection.
package struct GatewayIdentity: Sendable, Equatable {
    /// The sessions are `<clientID>-1`, `<clientID>-2`, ...
    package var clientID: String
    package var username: String?
    package var password: Secret?
    package var version: Version
    /// Of the gateway's sessions, in whole seconds from 5 s to 65,535 s.
    package var keepAlive: Duration

    package enum Version: String, Sendable, CaseIterable {
        /// Sessions of each version that devices come with: 5.0 for 5.0, 3.1.1 for 3.1.1 and 3.1.
        case any
        /// Devices of 5.0 are refused.
        // swift-format-ignore: AlwaysUseLowerCamelCase
        case v3_1_1 = "3.1.1"
        /// Devices of 3.1 and 3.1.1 are refused.
        // swift-format-ignore: AlwaysUseLowerCamelCase
        case v5_0 = "5.0"
    }

    package init(
        clientID: String, username: String? = nil, password: Secret? = nil, version: Version = .any,
        keepAlive: Duration = .seconds(60)
    ) {
        self.clientID = clientID
        self.username = username
        self.password = password
        self.version = version
        self.keepAlive = keepAlive
    }
}

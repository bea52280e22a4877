/// The identity of the gateway in the mapping `data-stream`, in which it has one MQTT session per connection.
package struct GatewayIdentity: Sendable, Equatable {
    /// The client ids of the sessions are `<clientID>-1`, `<clientID>-2`, ...
    package var clientID: String
    package var username: String?
    package var password: Secret?
    /// The versions that the gateway's sessions may have.
    package var version: Version
    /// The MQTT keepalive of the gateway's sessions, in whole seconds from 5 s to 65,535 s.
    package var keepAlive: Duration

    /// The MQTT version of the gateway's sessions.
    package enum Version: String, Sendable, CaseIterable {
        /// There are sessions of 5.0 for devices of 5.0, and sessions of 3.1.1 for devices of 3.1.1 and 3.1.
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

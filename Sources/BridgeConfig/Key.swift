/// The keys of the configuration, except those inside the items of a list (routes, overrides, endpoints).
enum Key: String, CaseIterable, Sendable {
    case profile
    case listen
    case uplinkHost = "uplink.host"
    case uplinkPort = "uplink.port"
    case uplinkServerName = "uplink.server_name"
    case uplinkEndpoints = "uplink.endpoints"
    case uplinkCA = "uplink.ca"
    case uplinkClientCertificate = "uplink.client_certificate"
    case uplinkClientKey = "uplink.client_key"
    case uplinkMapping = "uplink.mapping"
    case uplinkALPN = "uplink.alpn"
    case uplinkDevicesPerConnection = "uplink.devices_per_connection"
    case uplinkAddressFamily = "uplink.address_family"
    case uplinkConnectTimeout = "uplink.connect_timeout"
    case uplinkKeepAlive = "uplink.keep_alive"
    case uplinkIdleTimeout = "uplink.idle_timeout"
    case uplinkCongestionControl = "uplink.congestion_control"
    case uplinkSendTwice = "uplink.send_twice"
    case uplinkBackoffMinimum = "uplink.backoff_minimum"
    case uplinkBackoffMaximum = "uplink.backoff_maximum"
    case uplinkReconnectsPerSecond = "uplink.reconnects_per_second"
    case uplinkPathTimeout = "uplink.path_timeout"
    case uplinkOnLoss = "uplink.on_loss"
    case uplinkHoldTime = "uplink.hold_time"
    case uplinkHoldBuffer = "uplink.hold_buffer"
    case uplinkHoldBufferTotal = "uplink.hold_buffer_total"
    case uplinkHoldQoS0 = "uplink.hold_qos0"
    case uplinkZeroRTT = "uplink.zero_rtt"
    case uplinkWarm = "uplink.warm"
    case uplinkTicketFile = "uplink.ticket_file"
    case uplinkTLSKeyLog = "uplink.tls_key_log"
    case uplinkQlog = "uplink.qlog"
    case uplinkFallbackHost = "uplink.fallback.host"
    case uplinkFallbackPort = "uplink.fallback.port"
    case uplinkFallbackServerName = "uplink.fallback.server_name"
    case uplinkFallbackAfter = "uplink.fallback.after"
    case uplinkIdentityClientID = "uplink.identity.client_id"
    case uplinkIdentityUsername = "uplink.identity.username"
    case uplinkIdentityUsernameFile = "uplink.identity.username_file"
    case uplinkIdentityPassword = "uplink.identity.password"
    case uplinkIdentityPasswordFile = "uplink.identity.password_file"
    case uplinkIdentityVersion = "uplink.identity.version"
    case uplinkIdentityKeepAlive = "uplink.identity.keep_alive"
    case authMode = "auth.mode"
    case authClientID = "auth.client_id"
    case authUsername = "auth.username"
    case authUsernameFile = "auth.username_file"
    case authPassword = "auth.password"
    case authPasswordFile = "auth.password_file"
    case authBundles = "auth.bundles"
    case authBundleMap = "auth.bundle_map"
    case authDevicePasswords = "auth.device_passwords"
    case authUsersFile = "auth.users_file"
    case authAnonymous = "auth.anonymous"
    case authOverrides = "auth.overrides"
    case routes
    case unrouted
    case limitsDevices = "limits.devices"
    case limitsDevicesPerAddress = "limits.devices_per_address"
    case limitsConnectWithin = "limits.connect_within"
    case limitsPacketSize = "limits.packet_size"
    case limitsSessionBuffer = "limits.session_buffer"
    case limitsAcceptRate = "limits.accept_rate"
    case limitsShutdownTimeout = "limits.shutdown_timeout"
    case limitsDrainTimeout = "limits.drain_timeout"
    case logLevel = "log.level"
    case logFormat = "log.format"
    case logRepeats = "log.repeats"
    case adminListen = "admin.listen"
    case adminTokenFile = "admin.token_file"
    case adminHostNames = "admin.host_names"
    case threads
    case gatherDelay = "gather_delay"
    case serveListen = "serve.listen"
    case serveCertificate = "serve.certificate"
    case serveKey = "serve.key"
    case serveClientCA = "serve.client_ca"
    case serveBrokerHost = "serve.broker_host"
    case serveBrokerPort = "serve.broker_port"
    case serveBrokerConnectTimeout = "serve.broker_connect_timeout"
    case serveProxyProtocol = "serve.proxy_protocol"
    case serveRetry = "serve.retry"
    case serveRetryAbove = "serve.retry_above"
    case serveEarlyData = "serve.early_data"
    case serveTicketKeyFile = "serve.ticket_key_file"
    case serveServerID = "serve.server_id"
    case serveIdleTimeout = "serve.idle_timeout"
    case serveCongestionControl = "serve.congestion_control"
    case serveSendTwice = "serve.send_twice"
    case serveConnections = "serve.connections"
    case serveConnectionsPerAddress = "serve.connections_per_address"
    case serveStreamsPerConnection = "serve.streams_per_connection"
    case serveHandshakesPerSecond = "serve.handshakes_per_second"
    case serveConnectWithin = "serve.connect_within"
    case serveStreamBuffer = "serve.stream_buffer"
    case serveShutdownTimeout = "serve.shutdown_timeout"
    case serveDrainTimeout = "serve.drain_timeout"

    enum Shape: Sendable {
        case scalar
        /// A list of words; in an environment variable they are separated by commas.
        case list
        /// A list of maps, which can only be given in the file.
        case structure
    }

    var shape: Shape {
        switch self {
        case .listen, .uplinkEndpoints, .uplinkALPN, .adminHostNames, .serveListen: .list
        case .routes, .authBundleMap, .authOverrides: .structure
        default: .scalar
        }
    }

    /// Whether the value must never be quoted in a message.
    var isSecret: Bool { Self.secrets.contains(self) }
    static let secrets: [Key] = [.authPassword, .uplinkIdentityPassword]

    /// The key that gives the same value in another way: `auth.password_file` for `auth.password`, and the other way
    /// round.
    var alternative: Key? {
        switch self {
        case .authUsername: .authUsernameFile
        case .authUsernameFile: .authUsername
        case .authPassword: .authPasswordFile
        case .authPasswordFile: .authPassword
        case .uplinkIdentityUsername: .uplinkIdentityUsernameFile
        case .uplinkIdentityUsernameFile: .uplinkIdentityUsername
        case .uplinkIdentityPassword: .uplinkIdentityPasswordFile
        case .uplinkIdentityPasswordFile: .uplinkIdentityPassword
        default: nil
        }
    }

    /// `uplink` for `uplink.host`, `uplink.identity` for `uplink.identity.version`; `nil` at the top level.
    var section: String? { Section.parent(of: rawValue) }

    /// `host` for `uplink.host`.
    var name: String { Section.name(of: rawValue) }

    /// The environment variable that overrides the key: `BRIDGE_UPLINK_HOST` for `uplink.host`.
    var variable: String {
        "BRIDGE_" + rawValue.uppercased().replacing(".", with: "_")
    }

    static let byVariable = Dictionary(uniqueKeysWithValues: allCases.map { ($0.variable, $0) })

    /// The names that a section may contain, keys before sections; `nil` means the top level.
    static func names(in section: String?) -> [String] {
        allCases.filter { $0.section == section }.map(\.name)
            + Section.all.filter { Section.parent(of: $0) == section }.map(Section.name)
    }
}

import BridgeConfig
import MQTTQUICClient
import NIOCore

import enum MQTTCodec.TopicName

/// How a tool connects: what the command line, the environment, `.env` and a bridge's file say together.
///
/// The first of them that has a value wins: an option, `-L`, `--config`, the environment, `.env`, the default. A source
/// that names another host than the one that is used has been written for that one, so nothing is taken from it: a
/// password must not go to a server that it is not for. Only the topic of such a `-L` is used.
struct ConnectionPlan: Sendable {
    static let defaultHost = "localhost"
    static let defaultPort = 14567

    private(set) var configuration: MQTTClientConfiguration
    let properties: ToolProperties
    /// What a person should know about the choice.
    private(set) var notes: [String] = []

    private let broker: BrokerOptions
    /// `-L`, unless it is for another host.
    private let url: BrokerURL?
    /// The bridge's file, unless it is for another host.
    private let bridge: BridgeFile?
    private let trust: TrustOptions
    private let sources: ConnectionSources
    /// The sources that are not for another host.
    private let devices: [DeviceSettings]

    /// - Parameter makeID: Makes a client id from a prefix, or a random one.
    init(
        _ broker: BrokerOptions, _ trust: TrustOptions, _ will: WillOptions, _ sources: ConnectionSources,
        makeID: (_ prefix: String?) -> String
    ) throws(UsageError) {
        self.broker = broker
        self.trust = trust
        self.sources = sources
        properties = try ToolProperties(broker.property)
        let named = try broker.url()
        let host =
            broker.host ?? named?.host ?? sources.bridge?.host ?? sources.devices.lazy.compactMap(\.host).first
            ?? Self.defaultHost
        if let problem = EndpointText.problem(withHost: host) { throw UsageError("-h: \(problem)") }
        url = Self.isSame(named?.host, host) ? named : nil
        bridge = Self.isSame(sources.bridge?.host, host) ? sources.bridge : nil
        (devices, notes) = sources.devices.meant(for: host)
        if let file = sources.bridge, bridge == nil {
            notes.insert("--config is for another host, \(file.host), so nothing of it is used", at: 0)
        }
        if let named, url == nil {
            notes.insert("-L is for another host, \(named.host), so only its topic is used", at: 0)
        }
        configuration = MQTTClientConfiguration(host: host)
        try setVersion()
        try setEndpoint()
        try setIdentity(makeID)
        try setSession()
        try setTrust()
        try setWill(will)
    }

    // MARK: Steps

    private mutating func setVersion() throws(UsageError) {
        let version = broker.protocolVersion?.version
        if version == .v3_1_1, !broker.property.isEmpty {
            throw UsageError("-D: MQTT 3.1.1 has no properties; leave out -V, or write -V 5")
        }
        configuration.version = version ?? (broker.property.isEmpty ? .v3_1_1 : .v5_0)
    }

    private mutating func setEndpoint() throws(UsageError) {
        configuration.port =
            try Self.port(broker.port, "-p")
            ?? url?.port ?? bridge?.port ?? first(\.port) ?? Self.defaultPort
        configuration.reconnect = nil
        if let timeout = first(\.connectTimeout) { configuration.connectTimeout = timeout }
        if let port = try Self.port(trust.fallbackPort, "--fallback-port") {
            configuration.fallback = .init(port: port)
        } else if let port = bridge?.fallbackPort {
            configuration.fallback = .init(host: bridge?.fallbackHost, port: port)
        }
        let maximum = broker.maximumInFlight ?? 20
        guard (1...1_024).contains(maximum) else { throw UsageError("-M: \(maximum) is not a number from 1 to 1024") }
        configuration.receiveMaximum = properties.connect.receiveMaximum ?? 20
        if let size = properties.connect.maximumPacketSize { configuration.maximumPacketSize = Int(size) }
        configuration.userProperties = properties.connect.userProperties
    }

    private mutating func setIdentity(_ makeID: (String?) -> String) throws(UsageError) {
        let (username, password) = try credentials()
        if username != nil || password != nil {
            configuration.credentials = .init(username: username, password: password.map { Array($0.utf8) })
        }
        if username == nil, password != nil, configuration.version == .v3_1_1 {
            throw UsageError("the password has no user name, which MQTT 3.1.1 requires: give one with -u")
        }
        if broker.clientID != nil, broker.clientIDPrefix != nil {
            throw UsageError("-i and -I exclude each other: one gives the whole client id, the other its beginning")
        }
        if let prefix = broker.clientIDPrefix {
            configuration.clientID = makeID(prefix)
        } else {
            configuration.clientID = broker.clientID ?? first(\.clientID) ?? deviceID(username) ?? ""
        }
        for (text, what) in [(username, "user name"), (password, "password"), (configuration.clientID, "client id")] {
            guard (text?.utf8.count ?? 0) <= Int(UInt16.max) else {
                throw UsageError("the \(what) is longer than 65535 bytes, which MQTT allows")
            }
        }
        hasOwnID = !configuration.clientID.isEmpty && broker.clientIDPrefix == nil
        if configuration.clientID.isEmpty, configuration.version == .v3_1_1 { configuration.clientID = makeID(nil) }
    }

    /// Whether the same client id can be used again.
    private var hasOwnID = false

    private mutating func setSession() throws(UsageError) {
        let keepsSession = broker.keepsSession || first(\.cleanSession) == false
        configuration.cleanStart = !keepsSession
        if let seconds = broker.keepAlive {
            guard (5...65_535).contains(seconds) else {
                throw UsageError("-k: \(seconds) is not a number of seconds from 5 to 65535")
            }
            configuration.keepAlive = .seconds(seconds)
        } else if let seconds = first(\.keepAlive) {
            configuration.keepAlive = .seconds(seconds)
        }
        if broker.sessionExpiry != nil, configuration.version == .v3_1_1 {
            throw UsageError("-x: MQTT 3.1.1 has no session expiry; write -V 5 as well")
        }
        if broker.sessionExpiry != nil, properties.connect.sessionExpiry != nil {
            throw UsageError("-x and -D connect session-expiry-interval say the same; keep one")
        }
        let expiry =
            broker.sessionExpiry?.seconds ?? properties.connect.sessionExpiry ?? (keepsSession ? UInt32.max : 0)
        configuration.sessionExpiry = .seconds(Int64(expiry))
        let isKept = configuration.version == .v5_0 ? expiry == .max : keepsSession
        if isKept, !hasOwnID {
            throw UsageError("a session that is kept needs a client id that stays the same: give one with -i")
        }
    }

    private mutating func setTrust() throws(UsageError) {
        if let version = trust.tlsVersion, version != "tlsv1.3" {
            throw UsageError("--tls-version: QUIC has no TLS but 1.3; write tlsv1.3, or leave it out")
        }
        guard (trust.certificates.certificateFile == nil) == (trust.certificates.keyFile == nil) else {
            throw UsageError("--cert and --key go together: the certificate and its private key")
        }
        if trust.certificates.caFile != nil, trust.trustsSystem {
            throw UsageError(
                "--cafile and --tls-use-os-certs exclude each other; put all CA certificates into one file")
        }
        if let file = trust.certificates.caFile ?? (trust.trustsSystem ? nil : bridge?.caFile ?? first(\.caFile)) {
            configuration.tls.trust = .file(file)
        }
        let certificate = trust.certificates.certificateFile ?? bridge?.certificateFile
        let key = trust.certificates.keyFile ?? bridge?.keyFile
        if let certificate, let key {
            configuration.tls.clientCertificate = .init(chainFile: certificate, keyFile: key)
        }
        configuration.tls.serverName = trust.certificates.serverName ?? bridge?.serverName
        if let alpn = trust.alpn {
            guard (1...255).contains(alpn.utf8.count) else {
                throw UsageError("--tls-alpn: the name of a protocol has 1 to 255 bytes (RFC 7301)")
            }
            configuration.alpn = alpn
        }
    }

    private mutating func setWill(_ will: WillOptions) throws(UsageError) {
        guard let topic = will.topic else {
            if will.payload != nil || will.isRetained || will.qos != nil {
                throw UsageError("a will needs a topic: give one with --will-topic")
            }
            if properties.will != MQTTMessageProperties() || properties.willDelay > 0 {
                throw UsageError("-D will: there is no will; give its topic with --will-topic")
            }
            return
        }
        do {
            try TopicName.validate(topic)
        } catch {
            throw UsageError("--will-topic \"\(topic)\": \(error.message); a will needs a topic without + and #")
        }
        let payload = will.payload ?? ""
        guard payload.utf8.count <= Int(UInt16.max) else {
            throw UsageError("--will-payload is longer than 65535 bytes, the longest will in MQTT")
        }
        let message = MQTTMessage(
            topic: topic, text: payload, qos: will.qos?.qos ?? .atMostOnce, isRetained: will.isRetained,
            properties: properties.will)
        configuration.will = MQTTWill(message, delay: .seconds(Int64(properties.willDelay)))
    }

    // MARK: Choices

    private static func isSame(_ host: String?, _ other: String) -> Bool {
        host?.lowercased() == other.lowercased()
    }

    private func first<Value>(_ value: KeyPath<DeviceSettings, Value?>) -> Value? {
        devices.lazy.compactMap { $0[keyPath: value] }.first
    }

    /// On TESAIoT, a device's client id is its user name.
    private func deviceID(_ username: String?) -> String? {
        guard let username, devices.contains(where: { $0.username == username }) else { return nil }
        return username
    }

    private func credentials() throws(UsageError) -> (username: String?, password: String?) {
        if broker.credentials.username != nil, sources.usernameInFile != nil {
            throw UsageError("-u and --username-file exclude each other")
        }
        if broker.credentials.password != nil, sources.passwordInFile != nil {
            throw UsageError("-P and --pw-file exclude each other")
        }
        let given = ClientCredentials(
            username: broker.credentials.username ?? sources.usernameInFile,
            password: broker.credentials.password ?? sources.passwordInFile)
        let named = ClientCredentials(username: url?.username, password: url?.password)
        let chosen = ClientCredentials(levels: [given, named] + devices.map(\.credentials))
        return (chosen.username, chosen.password)
    }

    private static func port(_ port: Int?, _ option: String) throws(UsageError) -> Int? {
        guard let port else { return nil }
        guard (1...65_535).contains(port) else { throw UsageError("\(option): \(port) is not a port, 1 to 65535") }
        return port
    }
}

extension ConnectionPlan {
    /// Connects again after a loss, which tools do that run until they are ended.
    mutating func reconnects() {
        configuration.reconnect = .init(initial: .seconds(1), maximum: .seconds(30))
    }

    /// Lets the broker send no more messages of QoS 1 and 2 than are wanted.
    mutating func limitReceiveMaximum(to count: Int) {
        let limit = UInt16(clamping: max(1, count))
        configuration.receiveMaximum = min(configuration.receiveMaximum, limit)
    }
}

import ArgumentParser

/// The options of `pub` and `sub` that say where the broker is and how to connect. They are named as those of
/// mosquitto_pub and mosquitto_sub.
struct BrokerOptions: ParsableArguments {
    @Option(
        name: [.customShort("h"), .long], parsing: .unconditional,
        help: ArgumentHelp("The broker's name or IP address. Default: localhost.", valueName: "host"))
    var host: String?

    @Option(
        name: [.customShort("p"), .long], parsing: .unconditional,
        help: ArgumentHelp("The broker's UDP port. Default: 14567.", valueName: "port"))
    var port: Int?

    @Option(
        name: [.customShort("L"), .customLong("url")], parsing: .unconditional,
        help: ArgumentHelp(
            "Host, port, user name, password and topic in one: mqtt-quic://[username[:password]@]host[:port]/topic. "
                + "The options for the single values win.",
            valueName: "url"))
    var urlText: String?

    @OptionGroup var credentials: CredentialOptions

    @Option(
        name: [.customShort("i"), .customLong("id")], parsing: .unconditional,
        help: ArgumentHelp(
            "The client id. Default: MQTT_CLIENT_ID, then MQTT_USERNAME; without them the broker assigns one (5), or it is "
                + "random (311).",
            valueName: "id"))
    var clientID: String?

    @Option(
        name: [.customShort("I"), .customLong("id-prefix")], parsing: .unconditional,
        help: ArgumentHelp("Makes the client id from this and the process id.", valueName: "prefix"))
    var clientIDPrefix: String?

    @Option(
        name: [.customShort("k"), .customLong("keepalive")], parsing: .unconditional,
        help: ArgumentHelp("The keepalive in seconds, 5 to 65535. Default: 60.", valueName: "seconds"))
    var keepAlive: Int?

    @Flag(
        name: [.customShort("c"), .customLong("disable-clean-session")],
        help: "Continue the session of this client id, and keep it afterwards. It needs -i.")
    var keepsSession = false

    @Option(
        name: [.customShort("V"), .long], parsing: .unconditional,
        help: ArgumentHelp("5 or 311. Default: 311, or 5 if there is a -D.", valueName: "version"),
        transform: ProtocolVersion.init(parsing:))
    var protocolVersion: ProtocolVersion?

    @Option(
        name: .customShort("x"), parsing: .unconditional,
        help: ArgumentHelp(
            "How long the broker keeps the session, in seconds; -1 means for ever. With -V 5 only. Default: 0, or -1 with -c.",
            valueName: "seconds"),
        transform: SessionExpiry.init(parsing:))
    var sessionExpiry: SessionExpiry?

    @Option(
        name: .customShort("M"), parsing: .unconditional,
        help: ArgumentHelp(
            "The number of messages of QoS 1 and 2 that may wait for their acknowledgement, 1 to 1024. Default: 20.",
            valueName: "count"))
    var maximumInFlight: Int?

    @Option(
        name: [.customShort("D"), .long], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Adds a property of MQTT 5.0: -D PACKET PROPERTY VALUE, or -D PACKET user-property NAME VALUE. PACKET is "
                + "\(ToolProperty.Command.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "packet property value"),
        transform: ToolProperty.init)
    var property: [ToolProperty] = []

    @Flag(name: [.customShort("d"), .long], help: "Tell on standard error what the connection does.")
    var debug = false

    @Flag(help: "Print no errors of the connection.")
    var quiet = false

    /// `-L` is not a value with a transformation, because ArgumentParser would show it, with its password, in an error.
    func url() throws(UsageError) -> BrokerURL? {
        guard let urlText else { return nil }
        return try BrokerURL(parsing: urlText)
    }
}

/// The options of `pub` and `sub` about trust, certificates and files.
struct TrustOptions: ParsableArguments {
    @OptionGroup var certificates: CertificateOptions

    @Flag(name: .customLong("tls-use-os-certs"), help: "Trust the CA certificates of the system: the default.")
    var trustsSystem = false

    @Option(
        name: .customLong("tls-alpn"), parsing: .unconditional,
        help: ArgumentHelp("The application protocol to ask for. Default: mqtt.", valueName: "protocol"))
    var alpn: String?

    @Option(
        name: .customLong("tls-version"), parsing: .unconditional,
        help: ArgumentHelp("tlsv1.3, which is the only version that QUIC has.", valueName: "version"))
    var tlsVersion: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The TCP port for MQTT over TLS, which is used if QUIC does not get through. Default: there is none.",
            valueName: "port"))
    var fallbackPort: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A bridge.yaml from which host, port, CA certificates, client certificate and fallback are taken.",
            valueName: "file"))
    var config: String?
}

/// The options of `pub` and `sub` about the will.
struct WillOptions: ParsableArguments {
    @Option(
        name: .customLong("will-topic"), parsing: .unconditional,
        help: ArgumentHelp(
            "The topic of a message that the broker publishes if the connection breaks.", valueName: "topic"))
    var topic: String?

    @Option(
        name: .customLong("will-payload"), parsing: .unconditional,
        help: ArgumentHelp("What this message says. Default: nothing.", valueName: "text"))
    var payload: String?

    @Option(
        name: .customLong("will-qos"), parsing: .unconditional,
        help: ArgumentHelp("Its QoS: 0, 1 or 2. Default: 0.", valueName: "qos"), transform: QoSOption.init(parsing:))
    var qos: QoSOption?

    @Flag(name: .customLong("will-retain"), help: "The broker keeps it for later subscribers.")
    var isRetained = false
}

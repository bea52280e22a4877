import ArgumentParser

/// The options of `probe`. What all clients need is shared with `pub` and `sub`.
struct ProbeOptionGroup: ParsableArguments {
    @Argument(help: "The broker: HOST, HOST:PORT or [IPV6]:PORT. Default: MQTT_HOST, port 14567.")
    var endpoint: String?

    @OptionGroup var certificates: CertificateOptions

    @Option(
        name: .customLong("alpn"),
        help: ArgumentHelp("Protocols to offer, separated by commas. Default: mqtt-mux,mqtt.", valueName: "names"))
    var alpn: String?

    @Flag(name: .customShort("4"), help: "Use only IPv4 addresses.")
    var onlyIPv4 = false

    @Flag(name: .customShort("6"), help: "Use only IPv6 addresses.")
    var onlyIPv6 = false

    @OptionGroup var credentials: CredentialOptions

    @Option(
        name: [.customShort("i"), .customLong("id")], parsing: .unconditional,
        help: ArgumentHelp(
            "The client id. Default: a random one. If a client with this id is connected, the probe takes its session over.",
            valueName: "id"))
    var clientID: String?

    @Option(
        help: ArgumentHelp(
            "How many connections to begin at the same moment, 0 to 256.", valueName: "count"))
    var connections = 32

    @Option(
        help: ArgumentHelp(
            "The TCP port to try MQTT over TLS at; 0 for none. Default: 8884, where it is no failure if it is closed.",
            valueName: "port"))
    var fallbackPort: Int?

    @Option(help: ArgumentHelp("How long each step may take, in seconds, 1 to 60.", valueName: "seconds"))
    var timeout = 5.0

    @Flag(
        help: ArgumentHelp(
            """
            Make one connection only: no burst, no second connection, no change of address; the fallback only if \
            --fallback-port names it.
            """))
    var gentle = false

    @Flag(help: "Print JSON, at the end.")
    var json = false
}

import ArgumentParser

/// The options of `probe`. Those that `pub` and `sub` have too have the same names.
struct ProbeOptionGroup: ParsableArguments {
    @Argument(help: "The broker: HOST, HOST:PORT or [IPV6]:PORT. Default: MQTT_HOST, port 14567.")
    var endpoint: String?

    @Option(
        name: [.customLong("cafile"), .customLong("ca")],
        help: ArgumentHelp(
            "A PEM file with the CA certificates to trust. Default: those of the system.", valueName: "file"))
    var caFile: String?

    @Option(
        help: ArgumentHelp(
            "The name that the broker's certificate must have, if it is not the host.", valueName: "name"))
    var serverName: String?

    @Option(
        name: .customLong("cert"),
        help: ArgumentHelp("A PEM file with a client certificate. It needs --key.", valueName: "file"))
    var certificateFile: String?

    @Option(name: .customLong("key"), help: ArgumentHelp("A PEM file with the key of --cert.", valueName: "file"))
    var keyFile: String?

    @Option(
        name: .customLong("alpn"),
        help: ArgumentHelp("Protocols to offer, separated by commas. Default: mqtt-mux,mqtt.", valueName: "names"))
    var alpn: String?

    @Flag(name: .customShort("4"), help: "Use only IPv4 addresses.")
    var onlyIPv4 = false

    @Flag(name: .customShort("6"), help: "Use only IPv6 addresses.")
    var onlyIPv6 = false

    @Option(
        name: [.customShort("u"), .long], parsing: .unconditional,
        help: ArgumentHelp("The user name.", valueName: "name"))
    var username: String?

    @Option(
        name: [.customShort("P"), .customLong("pw")], parsing: .unconditional,
        help: ArgumentHelp(
            "The password. Every user of this machine can see it in the list of processes; --pw-file, MQTT_PASSWORD and "
                + ".env hide it.", valueName: "password"))
    var password: String?

    @Option(help: ArgumentHelp("A file whose first line is the user name.", valueName: "file"))
    var usernameFile: String?

    @Option(
        name: .customLong("pw-file"),
        help: ArgumentHelp("A file whose first line is the password.", valueName: "file"))
    var passwordFile: String?

    @Option(
        name: [.customShort("i"), .customLong("id")], parsing: .unconditional,
        help: ArgumentHelp(
            "The client id. Default: a random one. If a client with this id is connected, the probe takes its session over.",
            valueName: "id"))
    var clientID: String?

    @Option(
        help: ArgumentHelp(
            "A file of KEY=VALUE lines with MQTT_ names. Default: .env in this folder.", valueName: "file"))
    var envFile: String?

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

    @Flag(help: "Make one connection only: no burst, no second connection, no change of address, no fallback.")
    var gentle = false

    @Flag(help: "Print JSON, at the end.")
    var json = false
}

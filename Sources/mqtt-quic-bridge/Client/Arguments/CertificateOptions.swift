import ArgumentParser

/// The options of all commands that connect as a client, for the certificates of both sides and the file of the device's
/// names.
struct CertificateOptions: ParsableArguments {
    @Option(
        name: [.customLong("cafile"), .customLong("ca")], parsing: .unconditional,
        help: ArgumentHelp(
            "A PEM file with the CA certificates to trust. Default: those of the system.", valueName: "file"))
    var caFile: String?

    @Option(
        name: .customLong("cert"), parsing: .unconditional,
        help: ArgumentHelp("A PEM file with the client's certificate. It needs --key.", valueName: "file"))
    var certificateFile: String?

    @Option(
        name: .customLong("key"), parsing: .unconditional,
        help: ArgumentHelp("A PEM file with the key of --cert.", valueName: "file"))
    var keyFile: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The name that the broker's certificate must have, if it is not the host.", valueName: "name"))
    var serverName: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A file with MQTT_ names. Default: .env in this folder, if it exists.", valueName: "file"))
    var envFile: String?
}

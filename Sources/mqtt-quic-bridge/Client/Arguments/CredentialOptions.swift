import ArgumentParser

/// The options of all commands that connect as a client, for user name and password.
struct CredentialOptions: ParsableArguments {
    @Option(
        name: [.customShort("u"), .long], parsing: .unconditional,
        help: ArgumentHelp("The user name.", valueName: "name"))
    var username: String?

    @Option(
        name: [.customShort("P"), .customLong("pw")], parsing: .unconditional,
        help: ArgumentHelp(
            "The password. Every user of this machine can see it in the list of processes; --pw-file, MQTT_PASSWORD and "
                + ".env hide it.",
            valueName: "password"))
    var password: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("A file whose first line is the user name.", valueName: "file"))
    var usernameFile: String?

    @Option(
        name: .customLong("pw-file"), parsing: .unconditional,
        help: ArgumentHelp("A file whose first line is the password.", valueName: "file"))
    var passwordFile: String?
}

import ArgumentParser

@main
struct BridgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt-quic-bridge",
        abstract: "Carries plain MQTT devices over QUIC to a broker.",
        discussion: """
            Devices connect to the addresses of `listen`, over plain MQTT; the broker is reached over QUIC with TLS 1.3.
            bridge.yaml.example is a complete configuration to start from.
            """,
        version: Version.current,
        subcommands: [RunCommand.self, ServeCommand.self, CheckCommand.self, HealthCommand.self],
        defaultSubcommand: RunCommand.self)
}

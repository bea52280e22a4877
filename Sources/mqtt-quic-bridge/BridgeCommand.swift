import ArgumentParser
import BridgeCore

@main
struct BridgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt-quic-bridge",
        abstract: "Connects plain MQTT devices to a broker over QUIC.",
        discussion: """
            Devices connect over plain MQTT to the addresses of `listen`; the bridge connects to the broker over QUIC with \
            TLS 1.3. bridge.yaml.example is a complete configuration to start from.
            """,
        version: Version.current,
        subcommands: [
            RunCommand.self, ServeCommand.self, InitCommand.self, CheckCommand.self, RoutesCommand.self,
            StatusCommand.self, ReloadCommand.self, HealthCommand.self, ProbeCommand.self, PubCommand.self,
            SubCommand.self, BenchCommand.self, VersionCommand.self,
        ],
        defaultSubcommand: RunCommand.self)
}

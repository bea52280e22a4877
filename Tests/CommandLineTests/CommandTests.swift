import ArgumentParser
import BridgeCore
import Testing

@testable import mqtt_quic_bridge

struct CommandTests {
    @Test func runIsTheDefault() throws {
        let command = try BridgeCommand.parseAsRoot(["--config", "x.yaml", "--log-level", "debug"])
        let run = try #require(command as? RunCommand)
        #expect(run.options.config == "x.yaml")
        #expect(run.log.logLevel == .debug)
    }

    @Test func options() throws {
        let check = try #require(
            try BridgeCommand.parseAsRoot(["check", "-c", "x.yaml", "--env-file", "y"]) as? CheckCommand)
        #expect(check.options.config == "x.yaml")
        #expect(check.options.envFile == "y")
        #expect(try BridgeCommand.parseAsRoot(["health"]) is HealthCommand)
    }

    @Test func wrongUseIsRefused() {
        #expect(throws: (any Error).self) { try BridgeCommand.parseAsRoot(["run", "--log-level", "loud"]) }
        #expect(throws: (any Error).self) { try BridgeCommand.parseAsRoot(["chek"]) }
    }

    @Test func aConfigurationThatIsMissingEndsWith78() async throws {
        let check = try #require(
            try BridgeCommand.parseAsRoot(["check", "--config", "/nowhere/bridge.yaml"]) as? CheckCommand)
        await #expect(throws: ExitCode(78)) { try await check.run() }
        let health = try #require(
            try BridgeCommand.parseAsRoot(["health", "--config", "/nowhere/bridge.yaml"]) as? HealthCommand)
        await #expect(throws: ExitCode.failure) { try await health.run() }
    }
}

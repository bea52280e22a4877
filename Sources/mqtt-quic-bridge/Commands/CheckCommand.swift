import ArgumentParser
import BridgeConfig

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks the configuration and shows the one in force.",
        discussion: "Exits with 0 where the configuration is usable, with 78 where it is not. Passwords are not shown.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let loaded = try options.load()
        print(EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins), terminator: "")
        for warning in loaded.warnings { StandardError.write("warning: \(warning)\n") }
    }
}

import ArgumentParser
import BridgeConfig

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Tells whether the bridge accepts connections, for container health checks.",
        discussion: "Connects to the first address of `listen`. Exits with 0 if that works, with 1 if it does not.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        guard let loaded = try? options.load(.run), let listener = loaded.configuration.listen.first else {
            throw ExitCode.failure
        }
        if let problem = await HealthProbe.problem(with: listener) {
            StandardError.write("\(listener.name): \(problem)\n")
            throw ExitCode.failure
        }
    }
}

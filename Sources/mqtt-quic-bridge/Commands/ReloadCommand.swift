import ArgumentParser
import BridgeConfig
import BridgeCore

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Has the running program read its configuration again, and shows what came of it.",
        discussion: """
            Does the same as SIGHUP, through the admin endpoint that the configuration names. `check --diff` shows beforehand \
            what would change. Exit codes: 0 if the configuration is in force, as far as it needs no restart; 1 if the \
            program does not answer, or if --all-or-nothing kept everything as it was; 78 if the configuration is not \
            usable, and the previous one stays in force.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Change nothing if something needs a restart.")
    var allOrNothing = false

    @Flag(help: "Ask `serve` instead of `run`.")
    var serve = false

    func run() async throws {
        let admin = serve ? try options.load(.serve).configuration.admin : try options.load(.run).configuration.admin
        let report = try await RunningProgram(admin).reload(isDryRun: false, isAllOrNothing: allOrNothing)
        print(ConfigurationDiff.render(report, isDone: true), terminator: "")
        for warning in report.warnings { StandardError.write("warning: \(warning)\n") }
        guard !report.ok else { return }
        throw report.errors.isEmpty ? ExitCode.failure : ExitCode.configuration
    }
}

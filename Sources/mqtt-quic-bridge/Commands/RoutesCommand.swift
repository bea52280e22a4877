import ArgumentParser

struct RoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes",
        abstract: "Explains what the routes of the configuration do.",
        subcommands: [RoutesTestCommand.self])
}

import ArgumentParser

@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the bridge, and brings what that needs.",
        subcommands: [RunCommand.self, EndureCommand.self, LinkGroup.self, LoadCommand.self])
}

import ArgumentParser

@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the bridge, and brings what that needs.",
        subcommands: [RunCommand.self, LinkGroup.self, LoadCommand.self])
}

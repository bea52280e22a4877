import ArgumentParser
import BenchmarkEndurance
import BenchmarkSuite
import Foundation

struct EndureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endure",
        abstract: "Lets many devices work for hours while everything around them fails, and says what was lost.",
        discussion: """
            Starts Mosquitto, `serve` and two bridges in network namespaces of its own with a lossy link between, and \
            devices that publish, receive, vanish and come back. Meanwhile the link fails, and programs are restarted and \
            killed. Ctrl-C ends the run early, with its report. Without root or /dev/net/tun everything runs on the \
            loopback interface, without outages and rebinds. Exit codes: 1 if there was a fault, 64 if the command line \
            is wrong.
            """)

    @Argument(help: ArgumentHelp("How long, as a decimal number: 0.1 is six minutes.", valueName: "hours"))
    var hours = 1.0

    @Option(help: "How many devices are connected by the bridges, all together.") var devices = 1000

    @Option(help: "Chooses the order and the times of troubles.") var seed: UInt64 = 1

    @Option(
        name: .customLong("mapping"),
        help: "Only this mapping: connection or mux, or direct for no bridge. May be repeated.")
    var mappings: [String] = []

    @Option(
        name: .customLong("trouble"),
        help: ArgumentHelp("Only this kind of trouble, such as 'broker restart'. May be repeated.", valueName: "kind"))
    var troubles: [String] = []

    @Option(help: ArgumentHelp("Write the report to this file, with all samples.", valueName: "file")) var json: String?

    @Option(help: ArgumentHelp("Keep the logs of all programs in this folder.", valueName: "folder")) var logs: String?

    @Flag(help: "Run everything on the loopback interface, without namespaces.") var loopback = false

    @Option(help: "The project's folder.") var root = FileManager.default.currentDirectoryPath

    func run() throws {
        do {
            let options = try EnduranceOptions(
                hours: hours, devices: devices, seed: seed, mappings: mappings, troubles: troubles, json: json,
                root: root,
                logs: logs, loopback: loopback)
            guard try Endurance.run(options) else { throw ExitCode.failure }
        } catch let error as EnduranceOptionError {
            throw ValidationError("\(error)")
        } catch let error as SuiteError {
            FileHandle.standardError.write(Data("bench endure: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}

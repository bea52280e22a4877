import ArgumentParser
import BenchmarkSuite
import Foundation

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Compares the bridge, in each of its mappings, with HAProxy as a TLS sidecar.",
        discussion: """
            Starts Mosquitto, `serve`, the bridge and HAProxy in network namespaces of its own with a link between, runs \
            the scenarios, and prints a table for each condition. Without names it runs a quick set, in less than five \
            minutes. Where root, /dev/net/tun or a program is missing, the last lines say what was left out. Exit codes: 1 \
            if a measurement failed, 64 if the command line is wrong.
            """)

    @Argument(help: ArgumentHelp("Which scenarios to run; --list shows all.", valueName: "scenario"))
    var scenarios: [String] = []

    @Flag(help: "Run all scenarios, or those that are named, with everything that they have.") var all = false

    @Flag(help: "Run only what the quick set has of the named scenarios.") var quick = false

    @Flag(help: "List the scenarios, and do nothing else.") var list = false

    @Option(name: .customLong("path"), help: "Measure only this path beside HAProxy, such as mux. May be repeated.")
    var paths: [String] = []

    @Option(help: ArgumentHelp("Write all figures to this file.", valueName: "file")) var json: String?

    @Flag(help: "Print tables as Markdown.") var markdown = false

    @Flag(help: "Run everything on the loopback interface, without namespaces.") var loopback = false

    @Option(help: "The project's folder.") var root = FileManager.default.currentDirectoryPath

    func run() throws {
        if list {
            for scenario in Scenario.table { print("\(scenario.name): \(scenario.summary)") }
            return
        }
        do {
            let selection = try Selection(scenarios, all: all, quick: quick, paths: paths)
            let options = Suite.Options(
                selection: selection, json: json, markdown: markdown, root: root, loopback: loopback)
            guard try Suite.run(options) else { throw ExitCode.failure }
        } catch let error as SelectionError {
            throw ValidationError("\(error)")
        } catch let error as SuiteError {
            FileHandle.standardError.write(Data("bench run: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}

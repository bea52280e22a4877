import ArgumentParser
import BridgeCore

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Shows the version, and those of the libraries and packages in the program.",
        discussion: """
            With --verbose also the versions of ngtcp2 and GnuTLS that are in use, and of the Swift packages that the program \
            was built from. `mqtt-quic-bridge --version --verbose` shows the same.
            """)

    @Flag(help: "Show the versions of libraries and packages, too.")
    var verbose = false

    @Flag(help: "Print all of it as JSON.")
    var json = false

    func run() throws {
        print(try output(), terminator: "")
    }

    /// With a line break at the end.
    func output() throws -> String {
        if json { return try VersionReport.current.json() }
        return verbose ? VersionReport.current.text : Version.current + "\n"
    }

    /// The arguments with which this command does what the given ones ask for. ArgumentParser's own `--version` takes no
    /// further option.
    static func replacement(for arguments: [String]) -> [String] {
        arguments.count == 2 && Set(arguments) == ["--version", "--verbose"] ? ["version", "--verbose"] : arguments
    }
}

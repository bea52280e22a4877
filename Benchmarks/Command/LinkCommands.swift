import ArgumentParser
import BenchmarkLink
import Foundation
import UnixSignals

struct LinkGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Emulates a wide-area link between two network namespaces.",
        discussion: """
            COMMANDS are delay=MS (one way), jitter=MS, loss=PERCENT, rate=MBIT and queue=KIB, for both directions, or \
            with "uplink." or "downlink." in front for one; down[=SECONDS] and up; nat=off|udp|all, \
            nat-tcp=remap|drop and rebind[=ADDRESS], after which the cloud sees new ports; stats, show and reset.
            """,
        subcommands: [Up.self, Control.self, Down.self])

    /// The machine or the user cannot have a link.
    static let notPossible = ExitCode(77)

    /// Writes an error and ends the program with its exit code.
    static func fail(_ error: LinkError) -> ExitCode {
        FileHandle.standardError.write(Data("bench link: \(error)\n".utf8))
        return switch error {
        case .notPossible: notPossible
        case .command: .validationFailure
        case .failed: .failure
        }
    }
}

extension LinkGroup {
    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates the namespaces and the link, and keeps them until SIGINT or SIGTERM.",
            discussion: """
                The first line of output is JSON with the names and addresses of both ends, and the path of the control \
                socket. Everything is removed at the end, and the statistics are printed. Exit code 77 means that this \
                machine or this user cannot have a link.
                """)

        @Option(help: "Seed of the random numbers that choose which packets are lost.") var seed: UInt64 = 1
        @Option(help: "The longest IP packet in bytes.") var mtu = 1500
        @Option(help: "TCP's congestion control over the link.") var congestion = "cubic"
        @Argument(help: "Commands before the first packet.") var commands: [String] = []

        func run() async throws {
            // From here on, no signal ends the program without the namespaces being removed.
            let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
            let link: WANLink
            do throws(LinkError) {
                link = try WANLink.up(commands: commands, seed: seed, mtu: mtu, congestionControl: congestion)
            } catch {
                throw LinkGroup.fail(error)
            }
            defer { link.down() }
            let ends = [
                "edge": link.edge.name, "edge_address": link.edge.address, "cloud": link.cloud.name,
                "cloud_address": link.cloud.address, "control": link.controlPath,
            ]
            try Self.printLine(ends)
            for await _ in signals { break }
            try Self.printLine(link.statistics)
        }

        private static func printLine(_ value: some Encodable) throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
        }
    }

    struct Control: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends commands to a running link, which carries out all of them, or none if one is wrong.")

        @Argument(help: "The path that `bench link up` has printed.") var path: String
        @Argument var commands: [String]

        func run() throws {
            do throws(LinkError) {
                print(try LinkClient.control(path, commands))
            } catch {
                throw LinkGroup.fail(error)
            }
        }
    }

    struct Down: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes what links have left whose process was killed.")

        func run() {
            for name in NetworkNamespace.removeAbandoned() { print("removed \(name)") }
        }
    }
}

import ArgumentParser
import BenchmarkLoad
import Foundation

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Plays MQTT devices and the receiving end at their broker, and measures what passes between them.",
        discussion: """
            Latencies are in milliseconds, and count from the time at which a message was due. A QoS 0 message is unsent \
            if its device is not connected or its socket is full. A QoS 1 message waits, up to 10,000 per device, and is \
            sent again after a reconnect. Lost messages were sent and have never arrived.
            """)

    @OptionGroup var options: LoadArguments
    @Flag(help: "Print one line of JSON.") var json = false

    func run() async throws {
        let options = try options.options()
        let events = try self.options.events()
        let report: LoadReport
        do {
            report = try await LoadGenerator.run(options) { events.begin() }
        } catch let error as LoadError {
            FileHandle.standardError.write(Data("bench load: \(error)\n".utf8))
            if case .option = error { throw ExitCode.validationFailure }
            throw ExitCode.failure
        }
        print(json ? try Self.json(report) : LoadTable.text(report), terminator: json ? "\n" : "")
    }

    static func json(_ report: LoadReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}

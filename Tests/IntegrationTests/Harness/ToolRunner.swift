import Foundation

/// Runs mosquitto_pub and mosquitto_sub against a broker, and `pub` and `sub` against `serve` in front of the same one.
struct ToolRunner: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case theirs, ours
    }

    struct Outcome: Sendable, Equatable {
        var end: ChildProcess.ProcessEnd
        /// The bytes of standard output in hexadecimal.
        var output: String
        var errors: [String]

        /// The bytes of standard output as text.
        var text: String {
            let bytes = output.split(separator: " ").compactMap { UInt8($0, radix: 16) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    let scenario: ServeScenario
    let ca: String

    init(_ scenario: ServeScenario) async throws {
        self.scenario = scenario
        ca = try await Certificates.make().certificate("ca")
    }

    /// - Parameter tool: `pub` or `sub`.
    func command(_ kind: Kind, _ tool: String, connects: Bool = true) throws -> [String] {
        switch kind {
        case .theirs:
            ["mosquitto_\(tool)"] + (connects ? ["-h", "127.0.0.1", "-p", "\(scenario.broker.port)"] : [])
        case .ours:
            [try Toolbox.bridge(), tool]
                + (connects ? ["-h", "localhost", "-p", "\(scenario.serve.port)", "--cafile", ca] : [])
        }
    }

    /// Runs a tool to its end.
    ///
    /// - Parameters:
    ///   - line: The tool and its arguments.
    ///   - input: Standard input.
    ///   - connects: Whether the arguments get the address of the broker.
    func run(_ kind: Kind, _ line: [String], input: String = "", connects: Bool = true) async throws -> Outcome {
        let file = try scenario.folder.write("input-\(UUID().uuidString)", input)
        let command = try command(kind, line[0], connects: connects) + line.dropFirst()
        // od shows every byte, also one that does not end a line.
        let script = "set -o pipefail; file=$1; shift; \"$@\" < \"$file\" | od -An -v -tx1 -w65536"
        let process = try await ChildProcess.start(
            "\(kind.rawValue) \(line[0])", "bash", ["-c", script, "bash", file] + command)
        await scenario.own(process)
        let end = try await process.end()
        // Nothing matches, so these return when all output has been read.
        _ = try? await process.output.first("the end of the output") { _ in false }
        _ = try? await process.errors.first("the end of the errors") { _ in false }
        return Outcome(
            end: end, output: await process.output.all.joined(), errors: await process.errors.all)
    }
}

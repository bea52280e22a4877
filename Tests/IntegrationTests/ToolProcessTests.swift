import Testing

/// What `pub` and `sub` do with what the process that starts them has prepared.
struct ToolProcessTests {
    private static func run(_ script: String, _ line: [String]) async throws -> Outcome {
        let command = ["-c", script, "bash", try Toolbox.bridge()] + line
        let process = try await ChildProcess.start("tool", "bash", command)
        let end = try await process.end()
        // Nothing matches, so this returns when all errors have been read.
        _ = try? await process.errors.first("the end of the errors") { _ in false }
        return Outcome(end: end, errors: await process.errors.all)
    }

    private struct Outcome {
        var end: ChildProcess.ProcessEnd
        var errors: [String]
    }

    /// A closed descriptor's number must not become that of a socket, which would then be read as input.
    @Test func closedInputIsNotASocket() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            let line = Array(try runner.command(.ours, "pub").dropFirst()) + ["-t", "a", "-l"]
            let outcome = try await Self.run("exec \"$@\" <&-", line)
            #expect(outcome.end == .exit(1))
            #expect(outcome.errors == ["Error: -l: standard input: Bad file descriptor"])
        }
    }

    @Test func closedOutputIsNotASocket() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            #expect(try await runner.run(.ours, ["pub", "-t", "a", "-m", "x", "-r", "-q", "1"]).end == .exit(0))
            let line = Array(try runner.command(.ours, "sub").dropFirst()) + ["-t", "a", "-C", "1"]
            let outcome = try await Self.run("exec \"$@\" >&-", line)
            #expect(outcome.end == .exit(1))
            #expect(outcome.errors == ["Error: standard output: Bad file descriptor"])
        }
    }

    /// Whoever reads a report must hear that it is not whole, however the command ends.
    @Test(arguments: [["version", "--json"], ["version", "--help"], ["--help"], ["help", "probe"]])
    func aFullDiskIsAnError(line: [String]) async throws {
        let outcome = try await Self.run("exec \"$@\" >/dev/full", line)
        #expect(outcome.end == .exit(1))
        #expect(outcome.errors == ["Error: standard output: No space left on device"])
    }

    /// `probe` writes out each of its texts, and `bench` ends by its exit code.
    @Test(arguments: [(["probe"], ["--gentle"]), (["probe"], ["--gentle", "--json"]), (["bench"], ["--json"])])
    func aFullDiskIsAnErrorAfterAllIsDone(command: [String], options: [String]) async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            let line =
                command == ["probe"]
                ? ["probe", "localhost:\(scenario.serve.port)", "--cafile", runner.ca] + options
                : Array(try runner.command(.ours, "bench").dropFirst())
                    + ["--devices", "1", "--duration", "1", "--quiet"] + options
            let outcome = try await Self.run("exec \"$@\" >/dev/full", line)
            #expect(outcome.end == .exit(1))
            #expect(outcome.errors.last?.hasPrefix("Error: standard output: ") == true, "\(outcome.errors)")
        }
    }

    /// A failure keeps its exit code.
    @Test func aFullDiskDoesNotHideAFailure() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            let line =
                Array(try runner.command(.ours, "bench").dropFirst())
                + ["--devices", "1", "--duration", "1", "--quiet", "--server-name", "other.example"]
            let outcome = try await Self.run("exec \"$@\" >/dev/full", line)
            #expect(outcome.end == .exit(69))
            #expect(outcome.errors.last == "Error: standard output: No space left on device")
        }
    }

    @Test(arguments: [["pub", "-t", "a", "-m"], ["sub", "-t"]])
    func argumentsThatAreNotUTF8AreRefused(line: [String]) async throws {
        let outcome = try await Self.run("exec \"$@\" $'\\xff'", line)
        #expect(outcome.end == .exit(1))
        #expect(outcome.errors.count == 1 && outcome.errors[0].contains("is not UTF-8 text"), "\(outcome.errors)")
    }
}

import ArgumentParser

extension BridgeCommand {
    /// Runs the command that the process's arguments name, and ends the process.
    static func main() async {
        StandardDescriptors.fillGaps()
        let code = await run(Array(CommandLine.arguments.dropFirst()))
        // Otherwise a full disk would lose the end of what was printed, and nobody would hear of it.
        guard let problem = StandardOutput.flush() else { ProcessEnd.now(code.rawValue) }
        StandardError.write("Error: standard output: \(problem)\n")
        ProcessEnd.now(code == .success ? ExitCode.failure.rawValue : code.rawValue)
    }

    /// `pub`, `sub` and `bench` have mosquitto's way with properties and its exit code for a wrong command line.
    private static func run(_ given: [String]) async -> ExitCode {
        let arguments = ToolArguments.folded(VersionCommand.replacement(for: given))
        let isTool = ToolArguments.isTool(arguments)
        if let problem = ArgumentEncoding.problem(with: ArgumentEncoding.ofProcess) {
            StandardError.write("Error: \(problem)\n")
            return isTool ? ToolExit.usage : .validationFailure
        }
        do {
            var command = try await asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return .success
        } catch {
            return report(error, isTool: isTool)
        }
    }

    /// Prints what an error has to say, such as the help that was asked for, and returns its exit code.
    private static func report(_ error: any Error, isTool: Bool) -> ExitCode {
        let code = exitCode(for: error)
        let text = String(fullMessage(for: error).map { $0 == ToolArguments.separator ? " " : $0 })
        if code == .success, !text.isEmpty {
            print(text)
        } else if !text.isEmpty {
            StandardError.write("\(text)\n")
        }
        return isTool && code == .validationFailure ? ToolExit.usage : code
    }
}

import ArgumentParser
import Foundation

extension BridgeCommand {
    /// Runs the command that the process's arguments name. `pub`, `sub` and `bench` have mosquitto's way with properties and its
    /// exit code for a wrong command line.
    static func main() async {
        StandardDescriptors.fillGaps()
        let given = Array(CommandLine.arguments.dropFirst())
        let arguments = ToolArguments.folded(VersionCommand.replacement(for: given))
        if let problem = ArgumentEncoding.problem(with: ArgumentEncoding.ofProcess) {
            StandardError.write("Error: \(problem)\n")
            Foundation.exit((ToolArguments.isTool(arguments) ? ToolExit.usage : .validationFailure).rawValue)
        }
        do {
            var command = try await asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            // Otherwise a full disk would lose the end of what was printed, and nobody would hear of it.
            guard fflush(nil) == 0 else {
                StandardError.write("Error: standard output: \(String(cString: strerror(errno)))\n")
                Foundation.exit(ExitCode.failure.rawValue)
            }
        } catch {
            guard ToolArguments.isTool(arguments), exitCode(for: error) == .validationFailure else {
                exit(withError: error)
            }
            let text = String(fullMessage(for: error).map { $0 == ToolArguments.separator ? " " : $0 })
            StandardError.write("\(text)\n")
            Foundation.exit(ToolExit.usage.rawValue)
        }
    }
}

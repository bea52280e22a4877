import ArgumentParser
import Foundation

extension BridgeCommand {
    /// Runs the command that the process's arguments name. `pub` and `sub` have mosquitto's way with properties and its
    /// exit code for a wrong command line.
    static func main() async {
        let given = Array(CommandLine.arguments.dropFirst())
        let arguments = ToolArguments.folded(VersionCommand.replacement(for: given))
        do {
            var command = try await asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
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

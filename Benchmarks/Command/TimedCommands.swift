import ArgumentParser
import Dispatch
import Foundation

/// Shell commands that run at certain times of a load run, for example to take the link down.
struct TimedCommands: Sendable {
    private let commands: [(seconds: Double, command: String)]

    /// - Parameter texts: `SECONDS:COMMAND` each.
    init(_ texts: [String]) throws {
        commands = try texts.map { text in
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let seconds = Double(parts[0]), (0...86_400).contains(seconds) else {
                throw ValidationError("at: '\(text)' is not SECONDS:COMMAND")
            }
            return (seconds, String(parts[1]))
        }
    }

    /// Starts the clock.
    func begin() {
        for (seconds, command) in commands {
            DispatchQueue.global().asyncAfter(deadline: .now() + seconds) {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/bin/sh")
                process.arguments = ["-c", command]
                process.standardOutput = FileHandle.standardError
                do {
                    try process.run()
                } catch {
                    FileHandle.standardError.write(Data("bench load: '\(command)' did not start: \(error)\n".utf8))
                }
            }
        }
    }
}

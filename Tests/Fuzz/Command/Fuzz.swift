import Foundation
import FuzzTargets

/// Lists the fuzz targets, writes their seeds, replays inputs and, built by `scripts/fuzz`, runs libFuzzer.
@main
enum Fuzz {
    static func main() {
        do {
            try FuzzCommand(arguments: Array(CommandLine.arguments.dropFirst())).run()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(error is UsageError ? 64 : 1)
        }
    }
}

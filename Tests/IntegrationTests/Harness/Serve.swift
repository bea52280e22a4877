import Foundation

/// A running process of `mqtt-quic-bridge serve`.
struct Serve: Sendable {
    /// The UDP port of the first listener.
    let port: Int
    let process: ChildProcess
    /// The configuration file.
    let file: String

    /// Starts `serve` with this configuration, whose listeners have port 0, and waits until it listens.
    ///
    /// - Parameter launcher: What runs the program, and its arguments.
    static func start(in folder: Folder, configuration: String, through launcher: [String] = []) async throws -> Serve {
        let file = try folder.write("serve-\(UUID().uuidString).yaml", configuration)
        let command = try launcher + [Toolbox.bridge(), "serve", "--config", file]
        let process = try await ChildProcess.start("serve", command[0], Array(command.dropFirst()))
        do {
            let line = try await process.errors.first("serve to listen") {
                $0.contains("listening") && $0.contains("address=")
            }
            guard
                let port = line.split(separator: " ").first(where: { $0.hasPrefix("address=") })?
                    .split(separator: ":").last.flatMap({ Int($0.prefix { $0.isNumber }) })
            else { throw HarnessError("no port in: \(line)") }
            return Serve(port: port, process: process, file: file)
        } catch {
            await process.stop()
            throw HarnessError(
                "serve did not start: \(error)", await process.errors.all.joined(separator: "\n") + configuration)
        }
    }

    /// Waits for a line in the log of `serve`.
    @discardableResult
    func logs(_ text: String, from start: Int = 0) async throws -> String {
        try await process.errors.first("'\(text)' in the log of serve", from: start) { $0.contains(text) }
    }
}

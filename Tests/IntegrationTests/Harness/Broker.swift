import Foundation

/// A real Mosquitto on a port of its own.
struct Broker: Sendable {
    let port: Int
    let process: ChildProcess

    struct Options: Sendable {
        /// User names and passwords; none lets everybody in.
        var users: [String: String] = [:]
        /// Further lines of mosquitto.conf.
        var lines: [String] = []
    }

    /// Starts one and waits until it listens. The port is only probed, so a start that finds it taken is tried again.
    static func start(in folder: Folder, _ options: Options = Options()) async throws -> Broker {
        for _ in 0..<5 {
            let port = try Toolbox.freePort()
            if let broker = try await start(in: folder, port: port, options) {
                return broker
            }
        }
        throw HarnessError("no free port for Mosquitto in five attempts")
    }

    /// The same on a given port; `nil` where it is taken.
    static func start(in folder: Folder, port: Int, _ options: Options = Options()) async throws -> Broker? {
        var lines = [
            "listener \(port) 127.0.0.1", "log_dest stderr", "log_type all", "connection_messages true",
            "allow_anonymous \(options.users.isEmpty)",
            // As root, Mosquitto would become a user that cannot read the folder.
            "user \(NSUserName())",
        ]
        if !options.users.isEmpty {
            lines.append("password_file \(try await PasswordFile.write("passwords", in: folder, options.users))")
        }
        let file = try folder.write(
            "mosquitto-\(port).conf", (lines + options.lines).joined(separator: "\n") + "\n")
        let process = try await ChildProcess.start("mosquitto", "mosquitto", ["-c", file])
        let line = try? await process.errors.first("Mosquitto to run") {
            $0.contains("running") || $0.contains("Address already in use")
        }
        if let line, line.contains("running") {
            return Broker(port: port, process: process)
        }
        await process.stop()
        if line == nil {
            throw HarnessError("Mosquitto did not start", await process.errors.all.joined(separator: "\n"))
        }
        return nil
    }

    /// Waits for a line of Mosquitto's log, such as `Sending SUBACK to client`.
    func logs(_ text: String, from start: Int = 0) async throws {
        _ = try await process.errors.first("'\(text)' in Mosquitto's log", from: start) { $0.contains(text) }
    }
}

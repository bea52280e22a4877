import Foundation

/// A real Mosquitto process on a port of its own.
struct Broker: Sendable {
    let port: Int
    /// The port of the TLS listener, if the options ask for one.
    let tlsPort: Int?
    let process: ChildProcess
    private let options: Options

    struct Options: Sendable {
        /// User names and passwords. Without any, Mosquitto accepts every client.
        var users: [String: String] = [:]
        /// Whether sessions, subscriptions and messages are saved at each change, for `startAgain`.
        var persistence = false
        /// The name of a certificate that certificates.py makes. With one, there is a second listener with TLS.
        var tlsCertificate: String?
        /// Further lines for the TLS listener. `$CERTIFICATES` stands for the folder of the certificates.
        var tlsLines: [String] = []
        /// Further lines of mosquitto.conf.
        var lines: [String] = []
    }

    /// Starts Mosquitto and waits until it listens. Another program may take the probed port first, and then another
    /// port is tried.
    static func start(in folder: Folder, _ options: Options = Options()) async throws -> Broker {
        for _ in 0..<5 {
            let port = try Toolbox.freePort()
            let tlsPort = options.tlsCertificate == nil ? nil : try Toolbox.freePort()
            if let broker = try await start(in: folder, port: port, tlsPort: tlsPort, options) {
                return broker
            }
        }
        throw HarnessError("no free port for Mosquitto in five attempts")
    }

    /// Starts Mosquitto on the given ports. Returns `nil` if one of them is taken.
    static func start(
        in folder: Folder, port: Int, tlsPort: Int? = nil, _ options: Options = Options()
    ) async throws -> Broker? {
        let lines = try await configuration(in: folder, port: port, tlsPort: tlsPort, options)
        let file = try folder.write("mosquitto-\(port).conf", lines.joined(separator: "\n") + "\n")
        let process = try await ChildProcess.start("mosquitto", "mosquitto", ["-c", file])
        let line = try? await process.errors.first("Mosquitto to run") {
            $0.contains("running") || $0.contains("Address already in use")
        }
        if let line, line.contains("running") {
            return Broker(port: port, tlsPort: tlsPort, process: process, options: options)
        }
        await process.stop()
        if line == nil {
            throw HarnessError("Mosquitto did not start", await process.errors.all.joined(separator: "\n"))
        }
        return nil
    }

    private static func configuration(
        in folder: Folder, port: Int, tlsPort: Int?, _ options: Options
    ) async throws -> [String] {
        var lines = [
            "listener \(port) 127.0.0.1", "log_dest stderr", "log_type all", "connection_messages true",
            "allow_anonymous \(options.users.isEmpty)",
            // If root starts it, Mosquitto switches to a user that cannot read the folder.
            "user \(NSUserName())",
        ]
        if !options.users.isEmpty {
            lines.append("password_file \(try await PasswordFile.write("passwords", in: folder, options.users))")
        }
        if options.persistence {
            lines += [
                "persistence true", "persistence_location \(folder.path)/", "persistence_file mosquitto-\(port).db",
                "autosave_on_changes true", "autosave_interval 1",
            ]
        }
        lines += options.lines
        if let tlsPort, let certificate = options.tlsCertificate {
            let certificates = try await Certificates.make()
            lines += [
                "listener \(tlsPort) 127.0.0.1", "certfile \(certificates.certificate(certificate))",
                "keyfile \(certificates.key(certificate))",
            ]
            lines += options.tlsLines.map { $0.replacing("$CERTIFICATES", with: certificates.path) }
        }
        return lines
    }

    /// Kills Mosquitto, so that it neither saves its state nor closes its connections.
    func kill() async throws {
        process.signal(SIGKILL)
        _ = try await process.end()
    }

    /// Restarts Mosquitto, which must have ended, at the same ports. With `persistence` it has the state that it had
    /// saved.
    func startAgain(in folder: Folder) async throws -> Broker {
        guard let next = try await Self.start(in: folder, port: port, tlsPort: tlsPort, options) else {
            throw HarnessError("the broker's port \(port) was taken while it was down")
        }
        return next
    }

    /// Waits for a line in Mosquitto's log, such as `Sending SUBACK to client`.
    func logs(_ text: String, from start: Int = 0) async throws {
        _ = try await process.errors.first("'\(text)' in Mosquitto's log", from: start) { $0.contains(text) }
    }
}

import Foundation

/// The program under test, as a running process.
struct Bridge: Sendable {
    /// The TCP port of the first listener.
    let port: Int
    /// The port of the admin endpoint; `nil` if there is to be none.
    let adminPort: Int?
    let process: ChildProcess
    /// The configuration file.
    let file: String

    /// Starts the bridge with this configuration, whose listeners have port 0, and waits until it listens.
    ///
    /// - Parameters:
    ///   - namespace: The network namespace to run the bridge in.
    ///   - hasAdmin: Whether the configuration names the address of an admin endpoint, which has port 0.
    ///   - launcher: What runs the program, and its arguments.
    static func start(
        in folder: Folder, configuration: String, namespace: String? = nil, hasAdmin: Bool = false,
        through launcher: [String] = []
    ) async throws -> Bridge {
        let file = try folder.write("bridge-\(UUID().uuidString).yaml", configuration)
        let command =
            try (namespace.map { ["ip", "netns", "exec", $0] } ?? [])
            + (hasAdmin ? ["env", "-u", "BRIDGE_ADMIN_LISTEN"] : [])
            + launcher + [Toolbox.bridge()]
        let process = try await ChildProcess.start(
            "bridge", command[0], command.dropFirst() + ["run", "--config", file])
        do {
            return Bridge(
                port: try await port(of: "device", process),
                adminPort: hasAdmin ? try await port(of: "admin", process) : nil,
                process: process, file: file)
        } catch {
            await process.stop()
            throw HarnessError(
                "the bridge did not start: \(error)", await process.errors.all.joined(separator: "\n") + configuration)
        }
    }

    private static func port(of leg: String, _ process: ChildProcess) async throws -> Int {
        let line = try await process.errors.first("the bridge to listen") {
            $0.contains("listening") && $0.contains("address=") && $0.contains("leg=\(leg)")
        }
        guard let port = line.split(separator: ":").last.flatMap({ Int($0.prefix { $0.isNumber }) }) else {
            throw HarnessError("no port in: \(line)")
        }
        return port
    }

    /// A field of /proc/PID/status in KiB, such as VmRSS (current memory) or VmHWM (its peak).
    func memory(_ field: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8)
        for line in status.split(separator: "\n") where line.hasPrefix(field + ":") {
            if let value = Int(line.filter(\.isNumber)) {
                return value
            }
        }
        throw HarnessError("no \(field) in /proc/\(process.identifier)/status")
    }

    /// Resets VmHWM, which is the peak since this call from now on.
    func forgetHighestMemory() throws {
        let file = try FileHandle(forWritingTo: URL(filePath: "/proc/\(process.identifier)/clear_refs"))
        try file.write(contentsOf: Data("5".utf8))
        try file.close()
    }
}

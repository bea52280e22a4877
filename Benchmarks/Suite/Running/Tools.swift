import Foundation

/// The programs that the suite needs, and what has to be left out where one is missing.
package struct Tools {
    package let bridge: String
    /// The program of the suite itself, whose subcommands are the load and the link.
    let bench: String
    /// The project's folder.
    let root: String
    let hasHAProxy: Bool
    /// The Python that runs the QUIC front of the tests; `nil` if its environment has not been made.
    let python: String?
    let leftOut: [SuiteReport.LeftOut]

    var front: String { "\(root)/Tests/Support/quic_front.py" }

    /// - Throws: `SuiteError` if something is missing without which nothing can be measured.
    package init(root: String) throws {
        self.root = root
        // On Debian, Mosquitto and HAProxy are in a folder that is only in root's PATH.
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        setenv("PATH", "\(path):/usr/sbin:/sbin", 1)
        guard let bench = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw SuiteError("/proc/self/exe cannot be read")
        }
        self.bench = bench
        let beside = URL(filePath: bench).deletingLastPathComponent().appending(path: "mqtt-quic-bridge").path
        bridge = ProcessInfo.processInfo.environment["BRIDGE_BINARY"] ?? beside
        guard FileManager.default.isExecutableFile(atPath: bridge) else {
            throw SuiteError("there is no \(bridge): swift build -c release --product mqtt-quic-bridge")
        }
        for tool in ["mosquitto", "openssl", "setpriv"] where !Self.isInPath(tool) {
            throw SuiteError("there is no \(tool): scripts/bootstrap installs it")
        }
        var leftOut: [SuiteReport.LeftOut] = []
        hasHAProxy = Self.isInPath("haproxy")
        if !hasHAProxy {
            leftOut.append(.init("the path haproxy, and all ratios", "there is no haproxy: apt-get install haproxy"))
        }
        let python = "\(root)/.build-venv/bin/python"
        self.python = FileManager.default.isExecutableFile(atPath: python) ? python : nil
        if self.python == nil {
            leftOut.append(
                .init("all paths whose far end is the QUIC front", "there is no \(python): scripts/bootstrap makes it"))
        }
        if SystemCallCounter.available == nil {
            leftOut.append(
                .init("system calls", "neither perf nor strace can count here: apt-get install linux-perf, or strace"))
        }
        self.leftOut = leftOut
    }

    /// Whether the programs of a path are there.
    func have(_ path: Path) -> Bool {
        switch path.farEnd {
        case nil: hasHAProxy
        case .serve: true
        case .front, .ticketFront: python != nil
        }
    }

    /// Why the programs of a path cannot have so many devices; `nil` if they can.
    func obstacle(to devices: Int, on path: Path) -> String? {
        guard path == .haproxy, devices > Self.haproxyDevices else { return nil }
        return "HAProxy needs two files for each of \(devices) devices; the limit is \(FileLimit.current) (ulimit -Hn)"
    }

    /// How many devices HAProxy can have: each is two connections, and it needs a few files of its own.
    static var haproxyDevices: Int { min(20_000, (FileLimit.current - 200) / 2) }

    /// What the programs say about their versions.
    func versions(in folder: String) -> [String: String] {
        let questions = [
            "haproxy": ["haproxy", "-v"], "mosquitto": ["mosquitto", "-h"], "mqtt-quic-bridge": [bridge, "--version"],
        ]
        return questions.compactMapValues { command in
            let log = "\(folder)/version.\(command[0].split(separator: "/").last ?? "log")"
            guard let process = try? ChildProcess(command[0], command, log: log) else { return nil }
            process.wait()
            return process.logText.split(separator: "\n").first.map(String.init)
        }
    }

    static func isInPath(_ name: String) -> Bool {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }
}

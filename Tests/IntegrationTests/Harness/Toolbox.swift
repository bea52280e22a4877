import Foundation
import Synchronization

/// Where the tests find the programs that they run.
enum Toolbox {
    /// The project's folder.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let python = root.appending(path: ".build-venv/bin/python").path

    static func support(_ name: String) -> String {
        root.appending(path: "Tests/Support/\(name)").path
    }

    /// The environment of child processes. It lacks the names that the bridge reads as configuration, and has the
    /// folders of Mosquitto, which are only in root's PATH.
    static let environment: [String: String] = {
        var environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("BRIDGE_") && !$0.key.hasPrefix("MQTT_")
        }
        // scripts/test sets these so that the tests' own output comes at once. Programs have to see to that themselves.
        environment["_STDBUF_O"] = nil
        if environment["LD_PRELOAD"]?.contains("libstdbuf") == true { environment["LD_PRELOAD"] = nil }
        environment["PATH"] = (environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/usr/local/sbin"
        // Bridges that run at the same time would ask for the same port.
        environment["BRIDGE_ADMIN_LISTEN"] = "off"
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["PYTHONUNBUFFERED"] = "1"
        return environment
    }()

    /// With BRIDGE_TEST_LOGS=1, every test prints all output of its processes. Otherwise only a test that throws prints
    /// their last lines.
    static let showsLogs = ProcessInfo.processInfo.environment["BRIDGE_TEST_LOGS"] == "1"

    /// The path of the program under test: BRIDGE_BINARY, or the one that was built beside this test bundle.
    static func bridge() throws -> String {
        if let given = ProcessInfo.processInfo.environment["BRIDGE_BINARY"] {
            return given
        }
        return try built("mqtt-quic-bridge")
    }

    /// The path of a program of this package that was built beside this test bundle.
    static func built(_ name: String) throws -> String {
        let bundle = URL(filePath: CommandLine.arguments.first ?? "").deletingLastPathComponent()
        let running = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let debug = root.appending(path: ".build/debug")
        for folder in [bundle, running, debug] {
            let binary = folder.appending(path: name).path
            if FileManager.default.isExecutableFile(atPath: binary) {
                return binary
            }
        }
        throw HarnessError("\(name) is not built: run swift build, or set BRIDGE_BINARY for mqtt-quic-bridge")
    }

    /// Returns a port that no TCP or UDP socket had a moment ago, for programs that cannot choose one themselves. No
    /// other test of this run gets it, and it is below the ports that Linux gives to clients.
    static func freePort() throws -> Int {
        for _ in 0..<1000 {
            let port = UInt16.random(in: 10_000..<32_768)
            guard isFree(port, SOCK_STREAM), isFree(port, SOCK_DGRAM) else { continue }
            if givenPorts.withLock({ $0.insert(port).inserted }) { return Int(port) }
        }
        throw HarnessError("no free port: errno \(errno)")
    }

    /// Whether this machine has IPv6, at least for itself.
    static let hasIPv6: Bool = {
        let descriptor = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }()

    private static let givenPorts = Mutex<Set<UInt16>>([])

    private static func isFree(_ port: UInt16, _ type: __socket_type) -> Bool {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

import Foundation

/// A network namespace for the bridge, which the test creates and removes. It has one link to the far end, whose
/// address and state the test changes, and one to the devices, which stays as it is. This needs root.
struct NetworkNamespace: Sendable {
    let name: String
    private let number: Int
    /// The names of the links' ends outside the namespace.
    private var uplink: String { "mqbu\(number)" }
    private var devices: String { "mqbd\(number)" }

    /// The far end's address on the uplink.
    var farEnd: String { "10.213.\(number).1" }
    /// The bridge's address on the uplink at first, and another one.
    var first: String { "10.213.\(number).2" }
    var second: String { "10.213.\(number).3" }
    /// The bridge's address for the devices.
    var bridge: String { "10.214.\(number).2" }

    /// Whether this machine and this user can create network namespaces.
    static let possible: Bool = {
        guard getuid() == 0 else { return false }
        let name = "mqb-try-\(getpid())"
        guard (try? run(["netns", "add", name])) != nil else { return false }
        return (try? run(["netns", "del", name])) != nil
    }()

    /// Creates a namespace, and removes it when `body` has ended.
    static func with(_ body: (NetworkNamespace) async throws -> Void) async throws {
        let number = Int.random(in: 1...250)
        let namespace = NetworkNamespace(name: "mqb-\(getpid())-\(number)", number: number)
        defer { namespace.remove() }
        try namespace.make()
        try await body(namespace)
    }

    private func make() throws {
        try Self.run(["netns", "add", name])
        try inside(["link", "set", "lo", "up"])
        for (mine, its, network) in [(uplink, "wan0", 213), (devices, "lan0", 214)] {
            try Self.run(["link", "add", mine, "type", "veth", "peer", "name", its, "netns", name])
            try Self.run(["addr", "add", "10.\(network).\(number).1/24", "dev", mine])
            try Self.run(["link", "set", mine, "up"])
            try inside(["addr", "add", "10.\(network).\(number).2/24", "dev", its])
            try inside(["link", "set", its, "up"])
        }
    }

    private func remove() {
        try? Self.run(["netns", "del", name])
        for link in [uplink, devices] { try? Self.run(["link", "del", link]) }
    }

    /// Changes the bridge's address as a DHCP server would.
    func changeAddress() throws {
        try inside(["addr", "del", "\(first)/24", "dev", "wan0"])
        try inside(["addr", "add", "\(second)/24", "dev", "wan0"])
    }

    func setUplink(up: Bool) throws {
        try inside(["link", "set", "wan0", up ? "up" : "down"])
    }

    private func inside(_ arguments: [String]) throws {
        try Self.run(["-n", name] + arguments)
    }

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["ip"] + arguments
        process.environment = Toolbox.environment
        process.standardError = errors
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw HarnessError("ip \(arguments.joined(separator: " ")) failed", String(decoding: said, as: UTF8.self))
        }
    }
}

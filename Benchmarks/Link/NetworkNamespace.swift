import Foundation
import Glibc

/// A network namespace of `ip netns`, and its address on the link.
package struct NetworkNamespace: Sendable, Equatable {
    /// The name for `ip netns exec`. It begins with the prefix and the process identifier of its owner.
    package let name: String
    /// Its IPv4 address on the link. Everything else is routed to the link, too.
    package let address: String

    /// The device that leads to the link.
    static let device = "wan0"
    private static let prefix = "mqb-bench"
    /// Where iproute2 keeps them.
    private static let folder = "/run/netns"

    /// - Parameters:
    ///   - number: Tells the links of a process apart.
    ///   - end: `edge` or `cloud`.
    init(number: Int, end: String, address: String) {
        name = "\(Self.prefix)-\(getpid())-\(number)-\(end)"
        self.address = address
    }

    /// Creates the namespace, with settings in it that suit many connections.
    func create() throws(LinkError) {
        try IPCommand.run(["netns", "add", name])
        try IPCommand.run(["-n", name, "link", "set", "lo", "up"])
        let settings = [
            // Each run starts with fresh round-trip times and windows.
            ("net/ipv4/tcp_no_metrics_save", "1"),
            ("net/ipv4/ip_local_port_range", "10240 65000"),
            ("net/ipv6/conf/default/disable_ipv6", "1"),
            ("net/core/somaxconn", "8192"),
            ("net/ipv4/tcp_max_syn_backlog", "8192"),
        ]
        try inNamespace(name) { () throws(LinkError) in
            for (key, value) in settings { try Self.write(value, to: "/proc/sys/\(key)") }
        }
    }

    /// Gives the link's device its address and routes, once it is there.
    func connect(mtu: Int, congestionControl: String) throws(LinkError) {
        try IPCommand.run(["-n", name, "addr", "add", "\(address)/32", "dev", Self.device])
        try IPCommand.run(["-n", name, "link", "set", Self.device, "mtu", "\(mtu)", "up"])
        try IPCommand.run(
            ["-n", name, "route", "add", "default", "dev", Self.device, "src", address, "congctl", congestionControl])
    }

    /// Removes the namespace, if it is there. Processes in it keep running without a network.
    func remove() {
        try? IPCommand.run(["netns", "del", name])
    }

    /// Removes the namespaces and control sockets of processes that have ended without doing so themselves.
    /// - Returns: The names of the namespaces.
    @discardableResult
    package static func removeAbandoned() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let abandoned = names.filter { isAbandoned($0) }
        for name in abandoned { try? IPCommand.run(["netns", "del", name]) }
        for file in (try? FileManager.default.contentsOfDirectory(atPath: controlFolder)) ?? [] where isAbandoned(file)
        {
            unlink("\(controlFolder)/\(file)")
        }
        return abandoned.sorted()
    }

    static let controlFolder = "/run"

    static func controlPath(number: Int) -> String { "\(controlFolder)/\(prefix)-\(getpid())-\(number)-control" }

    /// Whether a name belongs to a process that does not exist any more.
    private static func isAbandoned(_ name: String) -> Bool {
        guard name.hasPrefix(prefix + "-"),
            let pid = name.dropFirst(prefix.count + 1).split(separator: "-").first.flatMap({ Int32($0) })
        else { return false }
        return kill(pid, 0) != 0 && errno == ESRCH
    }

    private static func write(_ value: String, to path: String) throws(LinkError) {
        let file = try systemCall(path) { open(path, O_WRONLY | O_CLOEXEC) }
        defer { close(file) }
        try systemCall(path) { Int32(truncatingIfNeeded: Glibc.write(file, value, value.utf8.count)) }
    }
}

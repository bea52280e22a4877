import BenchmarkSuite
import Foundation

/// The broker, and for each mapping `serve` and a bridge.
final class EnduranceStage {
    let network: Network
    let configurations: Configurations
    private let tools: Tools
    private let folder: String
    private(set) var broker: Program
    private(set) var bridges: [Group: Program] = [:]
    private(set) var serves: [Group: Program] = [:]
    private var variant = 0

    /// Starts all programs, and waits until they are ready.
    ///
    /// - Throws: `SuiteError` if one does not start.
    init(_ groups: GroupTable, _ network: Network, _ tools: Tools, folder: String) throws {
        self.network = network
        self.tools = tools
        self.folder = folder
        let mappings = groups.sizes.map(\.group).filter { $0 != .direct }
        configurations = Configurations(
            network: (network.edge.address, network.cloud.address),
            ports: try Self.ports(mappings, isIsolated: network.isIsolated), folder: folder,
            certificates: try Certificates(in: folder), devices: groups.count)
        try Self.write(configurations.broker(isRoot: getuid() == 0), "\(folder)/broker.conf")
        broker = Self.program(
            "broker", network.cloud, ["mosquitto", "-c", "\(folder)/broker.conf"], folder,
            .init(transport: .tcp, number: configurations.ports.broker))
        try broker.start()
        for group in mappings { try startMapping(group) }
    }

    private static func ports(_ mappings: [Group], isIsolated: Bool) throws -> Configurations.Ports {
        // In namespaces of the run's own nothing else uses a port.
        let free = isIsolated ? [1883, 1901, 1902, 14_567, 14_568] : try FreePorts.find(5)
        func table(_ from: Int) -> [Group: Int] {
            Dictionary(uniqueKeysWithValues: zip(mappings, free[from...]))
        }
        return Configurations.Ports(broker: free[0], bridges: table(1), serves: table(3))
    }

    private func startMapping(_ group: Group) throws {
        try Self.write(configurations.serve(group), "\(folder)/serve-\(group).yaml")
        try writeBridge(group)
        let serve = Self.program(
            "serve \(group)", network.cloud, [tools.bridge, "serve", "--config", "\(folder)/serve-\(group).yaml"],
            folder, .init(transport: .udp, number: configurations.ports.serves[group] ?? 0))
        try serve.start()
        serves[group] = serve
        let bridge = Self.program(
            "bridge \(group)", network.edge, [tools.bridge, "run", "--config", "\(folder)/bridge-\(group).yaml"],
            folder, .init(transport: .tcp, number: configurations.ports.bridges[group] ?? 0))
        try bridge.start()
        bridges[group] = bridge
    }

    private static func program(
        _ name: String, _ place: Network.Place, _ command: [String], _ folder: String, _ port: ListeningPort
    ) -> Program {
        let log = "\(folder)/\(name.replacing(" ", with: "-")).log"
        return Program(name, place.prefix + command, log: log, isReady: port.isOpen(in:))
    }

    /// All programs, each with the group that it carries; `nil` for all.
    var programs: [(program: Program, group: Group?)] {
        [(broker, nil)]
            + bridges.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.value, $0.key) }
            + serves.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.value, $0.key) }
    }

    // MARK: Changes

    /// Writes other settings into the bridges' files, and has them read again.
    func reload() throws {
        variant = 1 - variant
        for (group, bridge) in bridges {
            try writeBridge(group)
            bridge.signal(SIGHUP)
        }
    }

    func renewCertificates() throws {
        try configurations.certificates.renew()
        for serve in serves.values { serve.signal(SIGHUP) }
    }

    private func writeBridge(_ group: Group) throws {
        try Self.write(configurations.bridge(group, variant: variant), "\(folder)/bridge-\(group).yaml")
    }

    private static func write(_ text: String, _ path: String) throws {
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw SuiteError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

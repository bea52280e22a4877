import Foundation

/// All programs of a measurement: the broker, and a sidecar with a far end of its own for each path.
final class Stage {
    /// The programs and the port of one path.
    struct Lane {
        let path: Path
        /// Where its devices connect.
        let port: Int
        let sidecar: Program
        /// `nil` if the broker itself answers.
        let farEnd: Program?
    }

    let network: Network
    let tools: Tools
    /// Where configurations, certificates and logs are.
    let folder: String
    let ports: Ports
    private(set) var lanes: [Lane] = []
    private var broker: Program?
    /// A second broker that gets all messages from the first, and survives it; only with a broker that is to die.
    private var receiver: Program?

    /// Starts the programs of these paths, and waits until all of them are ready.
    ///
    /// - Parameter devices: how many devices there will be at most.
    /// - Throws: `SuiteError` if a program does not start; all others are stopped then.
    init(
        _ paths: [Path], devices: Int, persistentBroker: Bool, _ network: Network, _ tools: Tools, folder: String
    ) throws {
        self.network = network
        self.tools = tools
        self.folder = folder
        ports = try network.isIsolated ? .fixed(paths.count) : .free(paths.count)
        if persistentBroker {
            receiver = try start("receiver", at: network.cloud, receiverCommand(), .tcp, ports.receiver)
        }
        broker = try start("broker", at: network.cloud, brokerCommand(persistent: persistentBroker), .tcp, ports.broker)
        for index in paths.indices { lanes.append(try startLane(of: paths[index], index, devices: devices)) }
    }

    var brokerPid: Int32? { broker?.pid }

    /// Where the load's receiver connects.
    var receiverPort: Int { receiver == nil ? ports.broker : ports.receiver }

    /// The programs that have to run, for `check` and messages.
    private var all: [Program] {
        [receiver, broker].compactMap(\.self) + lanes.flatMap { [$0.farEnd, $0.sidecar].compactMap(\.self) }
    }

    /// - Throws: `SuiteError` if a program has ended by itself.
    func check() throws {
        for program in all { try program.check() }
    }

    /// Kills broker and fronts, which are one process at EMQX. `serve` and the sidecars stay.
    func killBroker() {
        for program in mortals { program.stop() }
    }

    func startBroker() throws {
        for program in mortals.reversed() { try program.start() }
    }

    private var mortals: [Program] {
        let fronts = lanes.filter { $0.path.farEnd != nil && $0.path.farEnd != .serve }.compactMap(\.farEnd)
        return fronts + [broker].compactMap(\.self)
    }

    private func startLane(of path: Path, _ index: Int, devices: Int) throws -> Lane {
        let (port, farPort) = (ports.sidecars[index], ports.farEnds[index])
        var farEnd: Program?
        if let kind = path.farEnd {
            let command = try farEndCommand(kind, path, port: farPort, devices: devices)
            farEnd = try start("\(kind.rawValue) of \(path.name)", at: network.cloud, command, .udp, farPort)
        }
        let command = try sidecarCommand(path, port: port, farPort: farPort)
        let sidecar = try start("sidecar of \(path.name)", at: network.edge, command, .tcp, port)
        return Lane(path: path, port: port, sidecar: sidecar, farEnd: farEnd)
    }

    private func start(
        _ name: String, at place: Network.Place, _ command: [String], _ transport: ListeningPort.Transport, _ port: Int
    ) throws -> Program {
        let listening = ListeningPort(transport: transport, number: port)
        let log = "\(folder)/\(name.replacing(" ", with: "-")).log"
        let program = Program(name, place.prefix + command, log: log, isReady: listening.isOpen(in:))
        try program.start()
        return program
    }
}

extension Stage {
    /// The ports of all programs.
    struct Ports {
        let broker: Int
        let brokerTLS: Int
        let receiver: Int
        let sidecars: [Int]
        let farEnds: [Int]

        /// In namespaces of the suite's own nothing else uses a port.
        static func fixed(_ paths: Int) -> Ports {
            Ports(
                broker: 1883, brokerTLS: 8883, receiver: 1884, sidecars: (0..<paths).map { 1900 + $0 },
                farEnds: (0..<paths).map { 14_567 + $0 })
        }

        static func free(_ paths: Int) throws -> Ports {
            let free = try FreePorts.find(3 + 2 * paths)
            return Ports(
                broker: free[0], brokerTLS: free[1], receiver: free[2], sidecars: Array(free[3..<3 + paths]),
                farEnds: Array(free[(3 + paths)...]))
        }
    }
}

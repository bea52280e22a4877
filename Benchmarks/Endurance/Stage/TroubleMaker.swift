import BenchmarkSuite
import Foundation

/// Makes troubles happen on a stage.
struct TroubleMaker {
    let stage: EnduranceStage
    let seed: UInt64

    /// The link between troubles: its round-trip time in milliseconds, and its loss in percent.
    static let link = Condition.Link(roundTrip: 50, loss: 0.5, nat: true)
    /// The loss of a burst, in percent.
    private static let burst = 20.0

    /// Begins a trouble, and ends it unless it lasts by itself.
    ///
    /// - Returns: for how many seconds it goes on.
    func begin(_ entry: TroubleSchedule.Entry) throws -> Double {
        switch entry.kind {
        case .start, .stall: break
        case .outage:
            try stage.network.interrupt(seconds: entry.lasts)
            return entry.lasts
        case .rebind:
            try stage.network.rebind()
        case .lossBurst:
            try stage.network.set(loss: Self.burst)
            return entry.lasts
        case .bridgeReload: try stage.reload()
        case .certificateRenewal: try stage.renewCertificates()
        case .brokerRestart: try restart(stage.broker, after: entry.lasts, kill: false)
        case .serveRestart: try restart(program(stage.serves, entry), after: entry.lasts, kill: false)
        case .serveKill: try restart(program(stage.serves, entry), after: entry.lasts, kill: true)
        case .bridgeRestart: try restart(program(stage.bridges, entry), after: entry.lasts, kill: false)
        case .bridgeKill: try restart(program(stage.bridges, entry), after: entry.lasts, kill: true)
        case .listenerGarbage, .serveGarbage, .bridgeGarbage: try garbage(entry).send()
        }
        return 0
    }

    /// Ends what lasts by itself.
    func end(_ kind: Trouble.Kind) throws {
        if kind == .lossBurst { try stage.network.set(loss: Self.link.loss) }
    }

    private func program(_ table: [Group: Program], _ entry: TroubleSchedule.Entry) throws -> Program {
        guard let program = entry.group.flatMap({ table[$0] }) ?? table.values.first else {
            throw SuiteError("there is no program for \(entry.kind.rawValue)")
        }
        return program
    }

    private func restart(_ program: Program, after seconds: Double, kill: Bool) throws {
        // It is started again also if it has ended badly, so that there is only this one fault.
        let end = Result { if kill { program.stop() } else { try program.terminate() } }
        Thread.sleep(forTimeInterval: seconds)
        try program.start()
        try end.get()
    }

    private func garbage(_ entry: TroubleSchedule.Entry) -> Garbage {
        let ports = stage.configurations.ports
        let edge = stage.network.edge
        let seed = seed &+ UInt64(entry.at * 1000)
        func make(_ target: Garbage.Target, _ address: String, _ ports: [Int]) -> Garbage {
            Garbage(
                target: target, namespace: edge.namespace, address: address, ports: ports, seconds: entry.lasts,
                seed: seed)
        }
        switch entry.kind {
        case .serveGarbage:
            return make(.udp, stage.network.cloud.address, Array(ports.serves.values))
        case .bridgeGarbage:
            let pids = stage.bridges.values.compactMap(\.pid)
            return make(.udp, "127.0.0.1", pids.flatMap(UDPPorts.ofProcess))
        default:
            return make(.tcp, edge.address, Array(ports.bridges.values))
        }
    }
}

import BenchmarkLoad

extension LoadRun {
    /// The options of `bench load` for a condition on one path.
    static func arguments(
        _ lane: Stage.Lane, _ condition: Condition, on stage: Stage, notBefore: Double?
    ) -> [String] {
        let (network, load) = (stage.network, condition.load)
        var options: [(name: String, value: String)] = [
            ("to", "\(network.edge.address):\(lane.port)"),
            ("receiver", "\(network.cloud.address):\(stage.receiverPort)"),
            // Paths that are measured at the same time must not take each other's client identifiers.
            ("topic", lane.path.name), ("devices", "\(load.devices)"), ("payload", "\(load.payload)"),
            ("qos", "\(load.qos)"), ("seconds", "\(load.seconds)"), ("warm-up", "\(Window.warmUp(load.seconds))"),
            ("connect-rate", "\(load.connectRate)"), ("keepalive", "\(load.keepAlive)"),
            // The shell's output goes to standard error.
            ("at", "0:echo \(publishing)"),
        ]
        if let edge = network.edge.namespace, let cloud = network.cloud.namespace {
            options += [("device-namespace", edge), ("receiver-namespace", cloud)]
        }
        switch load.pattern {
        case .idle: break
        case .steady: options.append(("rate", "\(load.rate)"))
        case .saturate: options.append(("saturate", "50"))
        case .fanOut: options.append(("fan-out", "\(load.rate)"))
        }
        if let notBefore { options.append(("not-before", "\(notBefore)")) }
        // The trouble is made, and ended, a few hundredths of a second late. What passes before that is no recovery.
        if let end = condition.recoveryBegins { options += [("mark", "\(end + 0.1)"), ("drain", "10")] }
        let processes: [(LoadReport.Role, Int32?)] = [
            (.sidecar, lane.sidecar.pid), (.farEnd, lane.farEnd?.pid), (.broker, stage.brokerPid),
        ]
        for case (let role, let pid?) in processes { options.append(("process", "\(role.rawValue):\(pid)")) }
        let flags = (load.pattern == .idle ? ["--idle"] : []) + (load.persistent ? ["--persistent"] : [])
        return options.flatMap { ["--\($0.name)", $0.value] } + flags + ["--json"]
    }
}

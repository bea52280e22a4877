import BenchmarkLoad

extension LoadReport {
    /// Names of the processes that the suite lets the load watch.
    enum Role: String, CaseIterable {
        case sidecar
        case farEnd = "far-end"
        case broker

        /// CPU per message, CPU while idle, memory and wake-ups of a process in this role.
        var figures: (cpu: Figure, idle: Figure, memory: Figure, wakeUps: Figure?) {
            switch self {
            case .sidecar: (.sidecarCPU, .sidecarIdleCPU, .sidecarMemory, .sidecarWakeUps)
            case .farEnd: (.farEndCPU, .farEndIdleCPU, .farEndMemory, .farEndWakeUps)
            case .broker: (.brokerCPU, .brokerIdleCPU, .brokerMemory, nil)
            }
        }
    }
}

extension Figures {
    /// The figures in the load's report: those of the whole run, or of one minute of it.
    init(_ report: LoadReport, minute: LoadReport.Minute? = nil) {
        self.init()
        set(report.connect, .connectP50, .connectP95, .connectP99, .connectMax)
        self[.connectsRefused] = Double(report.connectsRefused)
        set(minute?.endToEnd ?? report.endToEnd, .endToEndP50, .endToEndP95, .endToEndP99, .endToEndMax)
        set(report.acknowledged, .acknowledgedP50, nil, .acknowledgedP99, nil)
        if let recovery = report.recovery { set(recovery, .recoveryP50, nil, nil, .recoveryMax) }
        self[.notRecovered] = report.notRecovered.map(Double.init)
        self[.longestGap] = report.longestGapMilliseconds
        self[.messageRate] = minute?.messagesPerSecond ?? report.messagesPerSecond
        self[.lost] = Double(report.lost)
        self[.duplicates] = Double(report.duplicates)
        self[.unsent] = Double(report.unsent)
        self[.reconnects] = Double(report.reconnects)
        self[.loadLag] = report.loadLagMilliseconds
        for role in LoadReport.Role.allCases { set(role, report, minute) }
    }

    private mutating func set(_ role: LoadReport.Role, _ report: LoadReport, _ minute: LoadReport.Minute?) {
        guard let process = report.processes.first(where: { $0.name == role.rawValue }) else { return }
        let share = minute?.processes.first { $0.name == role.rawValue }
        let figures = role.figures
        self[figures.cpu] = minute == nil ? process.cpuMicrosecondsPerMessage : share?.cpuMicrosecondsPerMessage
        if let wakeUps = figures.wakeUps {
            self[wakeUps] = minute == nil ? process.wakeupsPerMessage : share?.wakeupsPerMessage
        }
        self[figures.memory] = process.residentPerDeviceKiB
        if report.windowSeconds > 0 {
            self[figures.idle] = process.cpuMicroseconds.map { $0 / (report.windowSeconds * 1e6) * 100 }
        }
    }

    private mutating func set(
        _ latency: LoadReport.Latency, _ p50: Figure, _ p95: Figure?, _ p99: Figure?, _ max: Figure?
    ) {
        guard latency.count > 0 else { return }
        self[p50] = latency.p50
        if let p95 { self[p95] = latency.p95 }
        if let p99 { self[p99] = latency.p99 }
        if let max { self[max] = latency.max }
    }

    /// Adds the figures of another measurement of the same run.
    mutating func add(_ other: Figures) {
        for (figure, value) in other.values { self[figure] = value }
    }
}

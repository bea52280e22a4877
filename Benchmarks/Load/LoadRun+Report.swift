import MQTTCodec
import Measurement

extension LoadRun {
    func report() -> LoadReport {
        let seconds = Double(window.upperBound - window.lowerBound) / 1e9
        let hasMark = options.mark != nil
        return LoadReport(
            devices: devices.count, rate: rate, seconds: options.seconds, windowSeconds: seconds,
            connect: .init(tally.connect), connectsRefused: tally.connectsRefused, endToEnd: .init(tally.endToEnd),
            acknowledged: .init(tally.acknowledged),
            commands: options.commandRate > 0 ? .init(tally.commands) : nil,
            recovery: hasMark ? .init(tally.recovery) : nil,
            notRecovered: hasMark ? devices.count - tally.recovery.count : nil,
            offered: tally.offered, arrived: tally.arrived,
            lost: max(0, tally.offered - tally.unsent - tally.arrived), duplicates: tally.duplicates,
            unsent: tally.unsent, resent: tally.resent, reconnects: tally.reconnects,
            messagesPerSecond: Self.rounded(Double(tally.arrivedInWindow) / seconds, 10),
            longestGapMilliseconds: Self.rounded(Double(tally.longestGap) / 1e6, 1000),
            loadLagMilliseconds: LoadReport.Latency(tally.lag).p99,
            loadCPUMicrosecondsPerMessage: Self.rounded(perMessage(use.ownMicroseconds) ?? 0, 1000),
            processes: processUse(), minutes: minutes())
    }

    private var rate: Double {
        switch options.traffic {
        case .steady(let rate), .fanOut(let rate): rate
        case .saturation, .idle: 0
        }
    }

    private func processUse() -> [LoadReport.ProcessUse] {
        use.processes.indices.map { index in
            let (before, start, end) = (use.before[index], use.windowStart[index], use.windowEnd[index])
            let cpu = Self.difference(end.cpuMicroseconds, start.cpuMicroseconds)
            let switches = Self.difference(end.contextSwitches.map(Double.init), start.contextSwitches.map(Double.init))
            let memory = Self.difference(end.residentKiB.map(Double.init), before.residentKiB.map(Double.init))
            return LoadReport.ProcessUse(
                name: use.processes[index].name, pid: use.processes[index].pid,
                cpuMicroseconds: cpu.map { Self.rounded($0, 1) },
                cpuMicrosecondsPerMessage: cpu.flatMap(perMessage).map { Self.rounded($0, 1000) },
                residentBeforeKiB: before.residentKiB, residentAfterKiB: end.residentKiB,
                residentPerDeviceKiB: memory.map { Self.rounded($0 / Double(devices.count), 100) },
                wakeupsPerMessage: switches.flatMap(perMessage).map { Self.rounded($0, 1000) })
        }
    }

    private func minutes() -> [LoadReport.Minute] {
        use.minutes.enumerated().map { number, minute in
            let processes = use.processes.indices.map { index in
                let (start, end) = (minute.before[index], minute.after[index])
                func perMessage(_ total: Double?) -> Double? {
                    guard let total, minute.arrived > 0 else { return nil }
                    return Self.rounded(total / Double(minute.arrived), 1000)
                }
                let switches = Self.difference(
                    end.contextSwitches.map(Double.init), start.contextSwitches.map(Double.init))
                return LoadReport.ProcessMinute(
                    name: use.processes[index].name,
                    cpuMicrosecondsPerMessage: perMessage(Self.difference(end.cpuMicroseconds, start.cpuMicroseconds)),
                    wakeupsPerMessage: perMessage(switches), residentKiB: end.residentKiB)
            }
            let seconds = Double(minute.nanoseconds) / 1e9
            return LoadReport.Minute(
                minute: number + 1, arrived: minute.arrived,
                messagesPerSecond: seconds > 0 ? Self.rounded(Double(minute.arrived) / seconds, 10) : 0,
                endToEnd: .init(minute.endToEnd), processes: processes)
        }
    }

    /// `nil` if no message arrived in the window.
    private func perMessage(_ total: Double) -> Double? {
        tally.arrivedInWindow > 0 ? total / Double(tally.arrivedInWindow) : nil
    }

    private static func difference(_ end: Double?, _ start: Double?) -> Double? {
        guard let end, let start else { return nil }
        return end - start
    }

    private static func rounded(_ value: Double, _ scale: Double) -> Double { (value * scale).rounded() / scale }
}

extension Tally {
    /// What has arrived since the last call, or since the window's beginning.
    mutating func takeMinute() -> (arrived: Int, endToEnd: LatencyHistogram) {
        defer {
            arrivedInMinute = 0
            endToEndInMinute.reset()
        }
        return (arrivedInMinute, endToEndInMinute)
    }
}

extension Population {
    /// Messages that have arrived in a group, in both directions; `nil` for all groups.
    func arrivals(_ group: Group?) -> Int {
        accounts.messages.counts.reduce(0) { sum, item in
            group == nil || item.key.group == group ? sum + item.value.arrived : sum
        }
    }

    /// A line about the present state.
    var progress: String {
        let groups = accounts.groups.sizes.map { "\($0.group.rawValue) \(online($0.group))/\($0.count)" }
        let faults = allFaults.counts.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.value) \($0.key.rawValue)" }
        return "online \(groups.joined(separator: ", ")); \(arrivals(nil)) messages arrived; "
            + (faults.isEmpty ? "no faults" : "FAULTS: \(faults.joined(separator: ", "))")
    }

    private var allFaults: FaultList {
        var faults = accounts.messages.faults
        faults.add(accounts.lives.faults)
        faults.add(accounts.others)
        return faults
    }

    /// What the devices and the broker's side know.
    func report() -> EnduranceReport {
        var report = EnduranceReport()
        report.seconds = accounts.now
        for (group, _) in accounts.groups.sizes {
            for purpose in StreamID.Purpose.allCases where purpose != .will {
                guard let counts = accounts.messages.counts[.init(group: group, purpose: purpose)] else { continue }
                report.messages.append(.init(group: group, kind: purpose.name, counts: counts))
            }
            if let counts = accounts.lives.counts[group] { report.lives.append(.init(group: group, counts: counts)) }
        }
        var excused = accounts.messages.excused
        excused.add(accounts.lives.excused)
        excused.add(accounts.excused)
        report.excused = excused.counts.map {
            .init(group: $0.key.group, what: $0.key.what, reason: $0.key.reason, count: $0.value)
        }
        report.calm = accounts.groups.sizes.map { group, _ in
            .init(group: group, seconds: accounts.troubles.calm(group, from: 0, to: accounts.now))
        }
        report.troubles = accounts.troubles.all.map {
            .init(kind: $0.kind, group: $0.group, begin: $0.begin, end: $0.end)
        }
        let faults = allFaults
        report.faults = faults.all
        for (kind, count) in faults.counts { report.faultCounts[kind.rawValue] = count }
        return report
    }
}

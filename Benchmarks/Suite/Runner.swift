import Foundation

/// Runs the selected scenarios one after the other, and collects the report.
struct Runner {
    let selection: Selection
    let network: Network
    /// Why there are no namespaces; `nil` if there are.
    let whyLoopback: String?
    let tools: Tools
    let folder: String
    var report: SuiteReport
    let printer: Printer

    /// How one path was measured: its rounds, each of which has the figures of all windows.
    private typealias Measured = (path: Path, rounds: [[Figures]])

    /// - Returns: whether all measurements succeeded.
    /// - Throws: `SuiteError` if the JSON cannot be written.
    mutating func run(json: String?) throws -> Bool {
        let begin = ContinuousClock.now
        report.leftOut = tools.leftOut
        if let whyLoopback {
            report.leftOut.append(.init("delay, loss, outages, rebinds, packets, bytes", whyLoopback))
        }
        for scenario in selection.scenarios {
            run(scenario)
            // A run that is stopped has what it has measured.
            report.seconds = begin.duration(to: .now).inSeconds
            if let json { try write(to: json) }
        }
        printer.end(report)
        return report.failures.isEmpty
    }

    private func write(to path: String) throws {
        do {
            try report.json.write(to: URL(filePath: path))
        } catch {
            throw SuiteError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    private mutating func run(_ scenario: Scenario) {
        let paths = selection.paths(of: scenario).filter(tools.have)
        let conditions = scenario.conditions(in: selection.run).filter { condition in
            let isPossible = network.isIsolated || !condition.needsLink
            if !isPossible { report.leftOut.append(.init("\(scenario.name): \(condition.title)", "it needs a link")) }
            return isPossible
        }
        guard !paths.isEmpty else { return }
        var stage: Stage?
        for condition in conditions {
            printer.begin(scenario, condition)
            let paths = paths.filter { canCarry(scenario, condition, on: $0) }
            do {
                let measured: [Measured]
                switch scenario.order {
                case .interleaved(let rounds):
                    measured = try interleaved(rounds, scenario, condition, paths, on: &stage)
                case .fresh:
                    measured = fresh(scenario, condition, paths)
                case .together:
                    stage = nil
                    let stage = try makeStage(scenario, condition, paths)
                    let measurer = Measurer(stage: stage, condition: condition)
                    measured = zip(paths, try measurer.measure(stage.lanes)).map { ($0, [$1]) }
                }
                add(scenario, condition, measured)
            } catch {
                fail("\(scenario.name): \(condition.title)", error)
                stage = nil
            }
        }
    }

    /// Whether the programs of a path can have so many devices. If not, that is noted.
    private mutating func canCarry(_ scenario: Scenario, _ condition: Condition, on path: Path) -> Bool {
        guard let obstacle = tools.obstacle(to: condition.load.devices, on: path) else { return true }
        report.leftOut.append(.init("\(scenario.name), \(path.name): \(condition.title)", obstacle))
        return false
    }

    /// A B A B, on programs that stay for all conditions.
    private mutating func interleaved(
        _ rounds: Int, _ scenario: Scenario, _ condition: Condition, _ paths: [Path], on kept: inout Stage?
    ) throws -> [Measured] {
        let stage = try kept ?? makeStage(scenario, condition, paths)
        kept = stage
        var measured = stage.lanes.map { Measured($0.path, []) }
        var lost: Set<Path> = []
        if let load = scenario.rehearsal {
            for lane in stage.lanes {
                _ = try Measurer(stage: stage, condition: rehearsed(condition, load)).measure([lane])
            }
        }
        let isCheap = SystemCallCounter.available == .perf
        let measurer = Measurer(stage: stage, condition: condition, counter: isCheap ? .perf : nil)
        for _ in 0..<rounds {
            for (index, lane) in stage.lanes.enumerated() where !lost.contains(lane.path) {
                do {
                    measured[index].rounds.append(try measurer.measure([lane])[0])
                } catch {
                    fail("\(scenario.name), \(lane.path.name): \(condition.title)", error)
                    lost.insert(lane.path)
                }
            }
        }
        if !isCheap, let counter = SystemCallCounter.available {
            try countCalls(with: counter, condition, stage, &measured)
        }
        if !lost.isEmpty { kept = nil }
        return measured
    }

    /// Counts system calls in runs of their own, because this counter slows the programs down.
    private func countCalls(
        with counter: SystemCallCounter, _ condition: Condition, _ stage: Stage, _ measured: inout [Measured]
    ) throws {
        guard condition.load.pattern != .idle else { return }
        let measurer = Measurer(stage: stage, condition: condition, counter: counter)
        for (index, lane) in stage.lanes.enumerated() where !measured[index].rounds.isEmpty {
            let counted = try measurer.measure([lane])[0]
            for round in measured[index].rounds.indices {
                for figure in [Figure.sidecarSystemCalls, .farEndSystemCalls] {
                    measured[index].rounds[round][0][figure] = counted[0][figure]
                }
            }
        }
    }

    /// Each path on programs of its own.
    private mutating func fresh(_ scenario: Scenario, _ condition: Condition, _ paths: [Path]) -> [Measured] {
        paths.map { path in
            do {
                let stage = try makeStage(scenario, condition, [path])
                return (path, [try Measurer(stage: stage, condition: condition).measure(stage.lanes)[0]])
            } catch {
                fail("\(scenario.name), \(path.name): \(condition.title)", error)
                return (path, [])
            }
        }
    }

    private func rehearsed(_ condition: Condition, _ load: Condition.Load) -> Condition {
        var condition = condition
        condition.load = load
        return condition
    }

    private func makeStage(_ scenario: Scenario, _ condition: Condition, _ paths: [Path]) throws -> Stage {
        // With the condition's link from the start: a NAT that is switched on later does not know present connections.
        try network.set(condition.link)
        let devices = scenario.conditions(in: selection.run).map(\.load.devices).max() ?? 0
        let stage = try Stage(
            paths, devices: devices, persistentBroker: scenario.persistentBroker, network, tools, folder: folder)
        // Connections that the bridge makes ahead of time.
        Thread.sleep(forTimeInterval: 0.5)
        return stage
    }

    private mutating func add(_ scenario: Scenario, _ condition: Condition, _ measured: [Measured]) {
        for (index, window) in Window.all(of: condition.load.seconds).enumerated() {
            let title = condition.title + (window.name.isEmpty ? "" : ", \(window.name)")
            let columns = measured.filter { !$0.rounds.isEmpty }.map { ($0.path, $0.rounds.map { $0[index] }) }
            guard !columns.isEmpty else { continue }
            let result = ConditionResult(scenario, condition, title: title, columns)
            report.results.append(result)
            printer.show(result)
        }
    }

    private mutating func fail(_ what: String, _ error: any Error) {
        guard !CleanUp.shared.hasBegun else { return }
        let failure = SuiteReport.LeftOut(what, "\(error)")
        report.failures.append(failure)
        printer.fail(failure)
    }
}
